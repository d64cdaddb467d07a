// Socket.IO 4: everybody joins the room they name, messages come from Redis. With ADAPTER=1 through the Redis adapter.
const { createServer } = require("node:http");
const { Server } = require("socket.io");
const { createClient } = require("redis");

const [port, redisPort] = process.argv.slice(2).map(Number);

async function main() {
  const url = `redis://127.0.0.1:${redisPort}`;
  const server = createServer((request, response) => {
    if (request.method !== "POST") return response.end("ok");
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      const { room, html } = JSON.parse(body);
      io.to(room).emit("m", html);
      response.writeHead(201, { "Content-Length": 0 }).end();
    });
  });
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });
  if (process.env.ADAPTER) {
    const { createAdapter } = require("@socket.io/redis-adapter");
    const [pub, sub] = [createClient({ url }), createClient({ url })];
    await Promise.all([pub.connect(), sub.connect()]);
    io.adapter(createAdapter(pub, sub));
  }
  io.on("connection", (socket) => socket.join(socket.handshake.query.room));
  const messages = createClient({ url });
  await messages.connect();
  await messages.pSubscribe("bench:*", (html, channel) => io.to(channel.slice(6)).emit("m", html));
  server.keepAliveTimeout = 75_000; // as ours; after 5 s it would close connections that the load keeps
  server.listen({ port, host: "127.0.0.1", backlog: 4096 });
}

main();
