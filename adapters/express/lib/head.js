"use strict";
// A last word before a response's head goes out, whichever way it goes: writeHead, write, end, flushHeaders.

const GATE = Symbol("stateway head");
const ANSWERS = {
  writeHead: (res) => res,
  write: () => false,
  end: (res) => res,
  flushHeaders: () => undefined,
};

class Gate {
  passed = false; // settle was called
  queue = null; // calls that wait for settle's promise
  ended = false; // end is among them
  refused = false; // another answer went out: nothing more of this one does
  promised = false; // a write was told to wait for "drain"

  constructor(res, settle) {
    this.settle = settle;
    this.original = {
      writeHead: res.writeHead,
      write: res.write,
      end: res.end,
      flushHeaders: res.flushHeaders,
    };
  }

  call(res, name, args) {
    if (this.refused) return name === "write" ? true : ANSWERS[name](res);
    if (this.queue !== null) return this.#wait(res, name, args);
    if (!this.passed) {
      this.passed = true; // when settle throws, the error's own response goes out as it is
      const waiting = res.headersSent ? undefined : this.settle();
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

function writeHead(...args) {
  return this[GATE].call(this, "writeHead", args);
}

function write(...args) {
  return this[GATE].call(this, "write", args);
}

function end(...args) {
  return this[GATE].call(this, "end", args);
}

function flushHeaders(...args) {
  return this[GATE].call(this, "flushHeaders", args);
}

/**
 * Calls `settle` once, before the head of `res` goes out. When it returns a promise, head and body wait
 * for it, with back-pressure; when that fails, a problem with status 500 goes out in their place. What
 * it throws goes to who wrote.
 */
function beforeHead(res, settle) {
  res[GATE] = new Gate(res, settle);
  res.writeHead = writeHead;
  res.write = write;
  res.end = end;
  res.flushHeaders = flushHeaders;
}

module.exports = { beforeHead, sendProblem };
