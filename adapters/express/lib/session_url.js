"use strict";
// The session URL of an exchange: the way for documents and patches that are too large for a header.

const http = require("node:http");

const TIMEOUT_MS = 10_000; // of silence
const agent = new http.Agent({ keepAlive: true });

function send(method, url, body) {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length };
    const request = http.request(url, { method, headers, agent, timeout: TIMEOUT_MS }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString() }),
      );
    });
    request.on("timeout", () => request.destroy(new Error("the gateway does not answer at the session URL")));
    request.on("error", (error) => {
      error.reused = request.reusedSocket;
      reject(error);
    });
    request.end(body);
  });
}

async function ask(method, url, body) {
  try {
    return await send(method, url, body);
  } catch (error) {
    // The gateway may have closed a connection that was idle. A patch may be sent twice: the second
    // changes nothing.
    if (error.reused && error.code === "ECONNRESET") return send(method, url, body);
    throw error;
  }
}

/** The document, as text. */
async function fetchDocument(url) {
  const { status, text } = await ask("GET", url);
  if (status !== 200) throw new Error(`the session URL answered ${status}: ${text.slice(0, 300)}`);
  return text;
}

/** Hands over a patch; it is committed with the exchange. */
async function sendPatch(url, patch) {
  const { status, text } = await ask("PATCH", url, Buffer.from(patch, "latin1"));
  if (status !== 204)
    throw new Error(`the gateway did not take the session's patch (${status}): ${text.slice(0, 300)}`);
}

module.exports = { fetchDocument, sendPatch };
