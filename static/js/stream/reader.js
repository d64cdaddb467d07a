/* The text/event-stream format. Source: WHATWG HTML, 9.2.6; our blocks end in LF LF and have no CR. */

/** Read a response body to its end, and call `heard` with `{name, id, retry, data}` for every event. */
export async function read(body, heard) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) heard(parse(block));
  }
}

function parse(block) {
  const fields = { event: "message", id: "", retry: "0", data: null };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    fields[name] = name === "data" && fields.data !== null ? `${fields.data}\n${value}` : value;
  }
  return { name: fields.event, id: fields.id, retry: Number(fields.retry), data: fields.data ?? "" };
}
