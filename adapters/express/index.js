"use strict";
// Sessions for Express behind the Stateway gateway, with the interface of express-session: see README.md.

const crypto = require("node:crypto");
const { EventEmitter } = require("node:events");

const { Documents } = require("./lib/documents");
const { Exchange } = require("./lib/exchange");
const { beforeHead, isGuarded, sendProblem } = require("./lib/head");
const { Memory } = require("./lib/memory");
const { Cookie, Session } = require("./lib/session");
const { fetchDocument } = require("./lib/session_url");

const MIB = 1024 * 1024;
const HOLD = { octets: 64 * MIB, min: 1024 };
const MEMORY = { octets: 128 * MIB, idle: 24 * 3_600_000 };
// A held document is not dropped for others before the gateway has surely committed, or refused, what it
// came from.
const HOLD_STAY_MS = 60_000;

// What this module does not do, because the gateway does it; and what to say to who asks for it.
const REFUSED = {
  genid: "the gateway draws session ids",
  name: "the gateway names the cookie: [session.<name>] cookie",
  rolling: "the gateway slides expiry by itself: [session.<name>] idle",
  store: "the gateway keeps sessions where [session.<name>] placement says",
};
const COOKIE_IS_SO = { path: "/", httpOnly: true, sameSite: "lax" };

function warn(option, why) {
  process.emitWarning(`option ${option} is ignored: ${why}`, { type: "StatewaySessionWarning" });
}

function warnOfRefused(options) {
  for (const name of Object.keys(REFUSED)) if (options[name]) warn(name, REFUSED[name]);
  const cookie = typeof options.cookie === "function" ? {} : (options.cookie ?? {});
  const refused = Object.keys(cookie).filter(
    (name) =>
      name !== "secure" && cookie[name] !== COOKIE_IS_SO[name] && ![null, undefined].includes(cookie[name]),
  );
  if (refused.length > 0 || typeof options.cookie === "function")
    warn(
      `cookie (${refused.join(", ")})`,
      "the gateway's [session.<name>] has idle, absolute, persistent, secure",
    );
}

/** What outlives an exchange: options, and documents in this process's memory. */
class Home {
  constructor(options) {
    const token = options.token ?? process.env.STATEWAY_TOKEN ?? "";
    this.secret = token === "" ? undefined : Buffer.from(token);
    this.direct = options.direct ?? "refuse";
    if (!["refuse", "ignore"].includes(this.direct))
      throw new TypeError('option direct is "refuse" or "ignore"');
    if (options.unset && !["destroy", "keep"].includes(options.unset))
      throw new TypeError('option unset is "destroy" or "keep"');
    this.unsetEnds = options.unset === "destroy";
    this.principal = options.principal ?? (() => undefined);
    const hold = { ...HOLD, ...(options.hold === false ? { octets: 0 } : options.hold) };
    const memory = { ...MEMORY, ...options.memory };
    this.holdMin = hold.min;
    this.token = crypto.randomBytes(16).toString("base64url");
    this.held = new Documents({ octetsMax: hold.octets, stay: HOLD_STAY_MS });
    this.memory = new Memory(memory);
  }

  admits(headers) {
    if (this.secret === undefined) return true;
    const came = Buffer.from(headers["stateway-token"] ?? "");
    return came.length === this.secret.length && crypto.timingSafeEqual(came, this.secret);
  }

  /** As Memory.change. */
  change(id, base, now, renewals) {
    const text = this.memory.change(id, base, now, renewals);
    this.#warnOfDrops();
    return text;
  }

  /** As Memory.replace. */
  replace(id, now) {
    const text = this.memory.replace(id, now);
    this.#warnOfDrops();
    return text;
  }

  #warnOfDrops() {
    if (this.memory.dropped === 0 || this.warnedOfDrops) return;
    this.warnedOfDrops = true;
    process.emitWarning("sessions are lost: they do not fit into option memory.octets", {
      type: "StatewaySessionWarning",
    });
  }

  /**
   * Holds `text` as version `version` of a session, for an exchange that was given version `given`.
   * False: it is not held, and the gateway must not be told that it is.
   *
   * A version that was held for an exchange's own patch may belong to another exchange after all: both
   * were given the same version, and only one of the patches made the next. So the first to expect a
   * version is the only one: the gateway hears of no other, and when that one's patch was refused or
   * rebased, the gateway does not believe that we hold it. What was expected when the exchange `began` is
   * known for HOLD_STAY_MS.
   */
  hold(id, version, given, text, began) {
    if (performance.now() - began > HOLD_STAY_MS) return false;
    if (text.length < this.holdMin || text.length > this.held.octetsMax) return false;
    const entry = this.held.get(id);
    if (entry !== undefined && entry.version > given) return false;
    if (entry !== undefined && entry.version === version && entry.text === text) return true;
    return this.held.put(id, text, version);
  }
}

function refuseDirect(req) {
  // Routes that have no use for a session work without the gateway, its health checks among them.
  Object.defineProperty(req, "session", {
    configurable: true,
    enumerable: false,
    get() {
      throw new Error(
        "req.session: this request brought no session. Send it through Stateway, by a route that has a " +
          'session (session = "…" in its [[route]]); to go without, pass { direct: "ignore" } to ' +
          "stateway-session.",
      );
    },
    set(value) {
      Object.defineProperty(req, "session", { value, configurable: true, enumerable: true, writable: true });
    },
  });
}

function versionOf(header) {
  if (header === undefined) return undefined;
  if (!/^\d{1,15}$/.test(header)) throw new Error("Stateway-Session-Version is not a version");
  return Number(header);
}

/**
 * The document that came, as text; undefined: it has to be fetched; null: the gateway thinks we hold it,
 * and we do not.
 */
function inlineDocument(home, headers, came) {
  const inline = headers["stateway-session"];
  if (inline !== undefined) return inline;
  const token = headers["stateway-session-held"];
  if (token === undefined) return undefined;
  const entry = token === home.token ? home.held.get(came.id) : undefined;
  return entry !== undefined && entry.version === came.version ? entry.text : null;
}

function begin(home, req, res, came, given) {
  const exchange = new Exchange(home, req, res, came);
  exchange.begin(given);
  beforeHead(req, res, exchange);
}

/** The middleware. Options: README.md; those of express-session that the gateway decides are ignored. */
function session(options = {}) {
  warnOfRefused(options);
  const home = new Home(options);

  return function statewaySession(req, res, next) {
    if (isGuarded(req)) return next();
    const headers = req.headers;
    if (!home.admits(headers))
      return sendProblem(
        res,
        403,
        "forbidden",
        "Forbidden",
        "only the gateway may ask: Stateway-Token is missing or wrong",
      );
    const id = headers["stateway-session-id"];
    if (id === undefined) {
      if (home.direct === "refuse") refuseDirect(req);
      return next();
    }
    try {
      const came = {
        id,
        version: versionOf(headers["stateway-session-version"]),
        url: headers["stateway-session-url"],
      };
      const given = came.version === undefined ? "{}" : inlineDocument(home, headers, came);
      if (given === null) {
        res.setHeader("Stateway-Session-Op", "need");
        return res.end();
      }
      if (given === undefined) return fetchAndBegin(home, req, res, came, next);
      begin(home, req, res, came, given);
    } catch (error) {
      return next(error);
    }
    return next();
  };
}

function fetchAndBegin(home, req, res, came, next) {
  fetchDocument(came.url)
    .then((given) => begin(home, req, res, came, given))
    .then(() => next(), next);
}

/** For code that makes a store, which is then ignored. */
class Store extends EventEmitter {}
class MemoryStore extends Store {}

module.exports = Object.assign(session, { Cookie, MemoryStore, Session, Store });
