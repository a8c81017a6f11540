"use strict";
// An Express application for one test, and requests to it as the gateway sends them.
const express = require("express");
const http = require("node:http");
const session = require("..");

process.env.NODE_ENV = "test"; // Express does not print errors then

async function listen(handler, t) {
  const server = http.createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return server.address().port;
}

/**
 * `routes(app)` adds routes. Gives ask(path, headers, {method, body}): {status, headers, body, patches, op,
 * hold}.
 */
async function site(t, options, routes) {
  const app = express();
  app.disable("x-powered-by");
  app.use(session({ token: "", ...options }));
  routes(app);
  app.use((error, req, res, next) =>
    res.headersSent ? next(error) : res.status(500).send(`error: ${error.message}`),
  );
  return serve(t, app);
}

/** Serves what takes (req, res). Gives `ask`, as above. */
async function serve(t, handler) {
  const port = await listen(handler, t);
  return (path, headers = {}, { method = "GET", body } = {}) =>
    new Promise((resolve, reject) => {
      const request = http.request({ port, path, method, headers }, (res) => {
        const pieces = [];
        res.on("data", (piece) => pieces.push(piece));
        res.on("error", reject);
        res.on("end", () => resolve(answer(res, Buffer.concat(pieces).toString())));
      });
      request.on("error", reject);
      request.end(body);
    });
}

function answer(res, body) {
  const patch = res.headers["stateway-session-patch"];
  return {
    status: res.statusCode,
    headers: res.headers,
    body,
    patches: patch === undefined ? undefined : JSON.parse(`[${patch}]`),
    op: res.headers["stateway-session-op"],
    hold: res.headers["stateway-session-hold"],
  };
}

/** Headers of a session with a document. */
function stored(document, { id = "s1", version = 1, url } = {}) {
  const headers = { "Stateway-Session-Id": id, "Stateway-Session-Version": String(version) };
  if (document !== undefined) headers["Stateway-Session"] = JSON.stringify(document);
  if (url !== undefined) headers["Stateway-Session-Url"] = url;
  return headers;
}

/** Headers of a session whose document is nobody's but ours. */
function bound(id = "s1") {
  return { "Stateway-Session-Id": id };
}

/** A session URL: {url, patches, document}. `status`: what a PATCH is answered with. */
async function sessionUrl(t, { document = "{}", status = 204 } = {}) {
  const out = { document, patches: [], gets: 0 };
  const port = await listen((req, res) => {
    let body = "";
    req.on("data", (piece) => (body += piece));
    req.on("end", () => {
      if (req.method === "GET") {
        out.gets += 1;
        res.end(out.document);
        return;
      }
      out.patches.push(JSON.parse(body));
      res.statusCode = status;
      res.end(status === 204 ? undefined : "no");
    });
  }, t);
  out.url = `http://127.0.0.1:${port}/0/token`;
  return out;
}

module.exports = { bound, serve, sessionUrl, site, stored };
