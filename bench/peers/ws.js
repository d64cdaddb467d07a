// ws: a loop over all clients, messages come from Redis.
const { createServer } = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");
const { createClient } = require("redis");

const [port, redisPort] = process.argv.slice(2).map(Number);

async function main() {
  const server = createServer((request, response) => response.end("ok"));
  const wss = new WebSocketServer({ server, perMessageDeflate: false });
  wss.on("connection", (socket) => socket.send("hello"));
  const messages = createClient({ url: `redis://127.0.0.1:${redisPort}` });
  await messages.connect();
  await messages.pSubscribe("bench:*", (html) => {
    for (const client of wss.clients) if (client.readyState === WebSocket.OPEN) client.send(html);
  });
  server.listen({ port, host: "127.0.0.1", backlog: 4096 });
}

main();
