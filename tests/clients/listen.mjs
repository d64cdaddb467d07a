// Hears streams as a program would that uses a public client of npm: listen.mjs FOLDER CLIENT BASE STREAM=PATH…
// The clients are those of FOLDER/node_modules. What is heard is posted to BASE/heard/CLIENT/STREAM.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, client, base, ...streams] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const load = (name) => import(pathToFileURL(join(folder, "node_modules", name)));
const names = ["hello", "reset", "bye", "message.posted", "message.edited", "message.deleted", "member.left"];
let told = Promise.resolve();

function tell(stream, event, data, id) {
  const body = JSON.stringify({ event, data, id: id ?? "" });
  told = told.then(() => fetch(`${base}/heard/${client}/${stream}`, { method: "POST", body })).catch(() => {});
}

const clients = {
  async eventsource(stream, url) {
    const { EventSource } = await load("eventsource/dist/index.js");
    const source = new EventSource(url);
    for (const name of names) source.addEventListener(name, ({ data, lastEventId }) => tell(stream, name, data, lastEventId));
  },
  async "launchdarkly-eventsource"(stream, url) {
    const { EventSource } = require("launchdarkly-eventsource");
    const source = new EventSource(url, { initialRetryDelayMillis: 200, errorFilter: () => true });
    source.addEventListener("error", () => {}); // or the process ends
    for (const name of names) source.addEventListener(name, ({ data, lastEventId }) => tell(stream, name, data, lastEventId));
  },
  async "eventsource-parser"(stream, url) {
    const { createParser } = await load("eventsource-parser/dist/index.js");
    for (let last = ""; ; ) {
      try {
        const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
        const answer = await fetch(url, { headers });
        const onEvent = ({ event, data, id }) => tell(stream, event ?? "message", data, (last = id ?? last));
        const parser = createParser({ onEvent });
        const text = new TextDecoder();
        for await (const piece of answer.body) parser.feed(text.decode(piece, { stream: true }));
      } catch {
        // cut: come back
      }
      await new Promise((done) => setTimeout(done, 200));
    }
  },
  async "fetch-event-source"(stream, url) {
    globalThis.window ??= globalThis;
    globalThis.document ??= { hidden: false, addEventListener() {}, removeEventListener() {} };
    const { fetchEventSource } = require("@microsoft/fetch-event-source");
    let last = "";
    await fetchEventSource(url, {
      openWhenHidden: true,
      onmessage: ({ event, data, id }) => tell(stream, event, data, (last = id || last)),
      onclose() {
        throw new Error("again");
      },
      onerror: () => 200,
    });
  },
};

for (const each of streams) {
  const [stream, ...path] = each.split("=");
  clients[client](stream, base + path.join("="));
}
