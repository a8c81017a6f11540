"use strict";
// What bench/session-table loads: an Express application whose POST changes a session of about 400 octets.
// SESSIONS: none | memory | redis | stateway. SOCKET or PORT says where it listens.
const express = require("express");

const { PORT, REDIS_PORT, SESSIONS, SOCKET } = process.env;
const OPTIONS = { secret: "of a benchmark", resave: false, saveUninitialized: false };
const FILL = "x".repeat(370);

async function sessions() {
  if (SESSIONS === "memory") return require("express-session")(OPTIONS);
  if (SESSIONS === "redis") {
    const { RedisStore } = require("connect-redis");
    const client = require("redis").createClient({ url: `redis://127.0.0.1:${REDIS_PORT}` });
    await client.connect();
    return require("express-session")({ ...OPTIONS, store: new RedisStore({ client }) });
  }
  return require("../../adapters/express")(OPTIONS);
}

async function main() {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/healthz", (req, res) => res.send("ok"));
  if (SESSIONS === "none") app.use((req, res, next) => next((req.session = {}) && undefined));
  else app.use(await sessions());
  app.post("/", (req, res) => {
    req.session.fill ??= FILL;
    req.session.n = (req.session.n ?? 0) + 1;
    res.set("X-Client", req.get("X-Client")).json({ n: req.session.n });
  });
  const server = app.listen(SOCKET ? { path: SOCKET } : { host: "127.0.0.1", port: Number(PORT) });
  server.keepAliveTimeout = 75_000;
  process.on("SIGTERM", () => process.exit(0));
}

main();
