"use strict";
// A last word before a response's head goes out, whichever way it goes: writeHead, write, end, flushHeaders.

const http = require("node:http");

const ANSWERS = {
  writeHead: (res) => res,
  write: () => false,
  end: (res) => res,
  flushHeaders: () => undefined,
};
const NAMES = Object.keys(ANSWERS);

class Gate {
  passed = false; // settle was called
  queue = null; // calls that wait for settle's promise
  ended = false; // end is among them
  refused = false; // another answer went out: nothing more of this one does
  promised = false; // a write was told to wait for "drain"

  /** `original`: the methods that were there before. */
  constructor(original, settler) {
    this.original = original;
    this.settler = settler;
  }

  call(res, name, args) {
    if (this.refused) return name === "write" ? true : ANSWERS[name](res);
    if (this.queue !== null) return this.#wait(res, name, args);
    if (!this.passed) {
      this.passed = true;
      const waiting = res.headersSent ? undefined : this.#settle(res);
      if (this.refused) return this.call(res, name, args);
      if (waiting !== undefined) {
        this.queue = [];
        waiting.then(
          () => this.#release(res),
          (error) => this.#refuse(res, error),
        );
        return this.#wait(res, name, args);
      }
    }
    return this.original[name].apply(res, args);
  }

  // An error must not reach who writes: often that is nobody's code who could answer it.
  #settle(res) {
    try {
      return this.settler.settle();
    } catch (error) {
      this.#refuse(res, error);
      return undefined;
    }
  }

  #wait(res, name, args) {
    if (this.ended) return ANSWERS[name](res);
    this.ended = name === "end";
    this.promised = this.promised || name === "write";
    this.queue.push([name, args]);
    return ANSWERS[name](res);
  }

  #release(res) {
    const queue = this.queue;
    this.queue = null;
    if (res.destroyed) return;
    try {
      for (const [name, args] of queue) this.original[name].apply(res, args);
    } catch (error) {
      res.destroy(error);
      return;
    }
    if (this.promised && !this.ended && !res.writableNeedDrain) res.emit("drain");
  }

  #refuse(res, error) {
    this.queue = null;
    console.error(error);
    if (!res.destroyed) {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      sendProblem(
        res,
        500,
        "session-not-saved",
        "The session could not be saved",
        error.message,
        this.original.end,
      );
    }
    this.refused = true;
    if (this.promised && !this.ended) res.emit("drain"); // what is piped here flows off
  }
}

function sendProblem(res, status, code, title, detail, end = res.end) {
  const body = JSON.stringify({ type: `urn:stateway:problem:${code}`, title, status, detail });
  res.statusCode = status;
  res.setHeader("Content-Type", "application/problem+json");
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Content-Length", Buffer.byteLength(body));
  end.call(res, body);
}

// Own properties are slow where Express has changed the prototype, which is with each response: some
// microseconds each. So the methods stand in the prototype that all of Express's responses share, and
// find the gate by one property of the request. (A WeakMap would keep young responses alive until the
// next major collection.)
const GATE = Symbol("stateway gate");
const hooked = new Map(); // prototype -> the methods it had

function hook(prototype) {
  const original = {};
  for (const name of NAMES) {
    const method = prototype[name];
    original[name] = method;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(...args) {
        const gate = this.req?.[GATE];
        return gate === undefined ? method.apply(this, args) : gate.call(this, name, args);
      },
    });
  }
  hooked.set(prototype, original);
  return original;
}

/** Below Node's own, the last prototype of `res`: Express's response. undefined: there is none. */
function sharedPrototype(res) {
  let prototype = Object.getPrototypeOf(res);
  if (prototype === http.ServerResponse.prototype) return undefined;
  for (;;) {
    const next = Object.getPrototypeOf(prototype);
    if (next === http.ServerResponse.prototype) return prototype;
    if (next === null) return undefined; // not of http
    prototype = next;
  }
}

/**
 * Calls `settler.settle` once, before the head of `res`, the response to `req`, goes out. When it
 * returns a promise, head and body wait for it, with back-pressure. When it throws or that fails, a
 * problem with status 500 goes out in their place.
 */
function beforeHead(req, res, settler) {
  const prototype = sharedPrototype(res);
  // Others may have put methods in front of the prototype's before it had ours.
  if (prototype !== undefined && res.req === req && !NAMES.some((name) => Object.hasOwn(res, name))) {
    req[GATE] = new Gate(hooked.get(prototype) ?? hook(prototype), settler);
    return;
  }
  req[GATE] = undefined; // its prototype may have the methods all the same
  const gate = new Gate({}, settler);
  for (const name of NAMES) {
    gate.original[name] = res[name];
    res[name] = (...args) => gate.call(res, name, args);
  }
}

/** Whether beforeHead was called for `req`. */
function isGuarded(req) {
  return GATE in req;
}

module.exports = { beforeHead, isGuarded, sendProblem };
