"use strict";
// One request and its response: which document it came with, and what goes back to the gateway.

const { isObject, merge, patches, write } = require("./json");
const { Session, isReserved } = require("./session");
const { sendPatch } = require("./session_url");

const HEADER_OCTETS_MAX = 64 * 1024; // of Stateway-Session-Patch; more goes to the session URL
const LATE = "the session cannot change any more: the response's head has been sent";

class Exchange {
  ended = false;
  renewed = false;

  /**
   * `home`: what outlives the exchange (index.js). `came`: {id, version, url}; no version: the gateway
   * keeps no document of this session (placement "instance"), we do.
   */
  constructor(home, req, res, came) {
    this.home = home;
    this.req = req;
    this.res = res;
    this.id = came.id;
    this.version = came.version;
    this.url = came.url;
  }

  /**
   * `given`: the document at the gateway, as text. `text`: the one to work on, if it is another. Throws
   * when it is none.
   */
  begin(given, text = given) {
    this.given = given;
    this.text = text;
    this.req.sessionID = this.id;
    this.req.session = new Session(this, this.#parse(text));
  }

  #parse(text) {
    const document = JSON.parse(text);
    if (!isObject(document)) throw new TypeError("the session's document is not an object");
    return document;
  }

  /** An error when the session changed after the head went out. */
  refuseLate() {
    const late = this.res.headersSent && this.req.session && write(this.req.session) !== this.sent;
    return late ? new Error(LATE) : undefined;
  }

  regenerate() {
    if (this.res.headersSent) return new Error(LATE);
    this.renewed = true;
    this.ended = false;
    this.req.session = new Session(this, {});
    return undefined;
  }

  destroy() {
    if (this.res.headersSent) return new Error(LATE);
    this.ended = true;
    delete this.req.session;
    return undefined;
  }

  reload() {
    this.req.session = new Session(this, this.renewed ? {} : this.#parse(this.text));
    return undefined;
  }

  /**
   * Before the head goes out. A promise when it has to wait. When it throws, the response says nothing of a
   * session.
   */
  settle() {
    try {
      return this.#settle();
    } catch (error) {
      for (const name of this.res.getHeaderNames())
        if (name.startsWith("stateway-session-")) this.res.removeHeader(name);
      throw error;
    }
  }

  #settle() {
    const session = this.req.session;
    if (this.ended || (this.home.unsetEnds && (session === null || session === undefined))) {
      this.#end();
      return undefined;
    }
    if (session === null || session === undefined) return undefined;
    const now = write(session);
    this.sent = now;
    if (this.renewed) this.#renew(session);
    return this.version === undefined
      ? this.#keep(now)
      : this.#patch(this.version === 0 ? this.#move(now) : now);
  }

  #end() {
    this.home.memory.delete(this.id);
    this.home.held.delete(this.id);
    this.res.setHeader("Stateway-Session-Op", "end");
  }

  #renew(session) {
    this.res.setHeader("Stateway-Session-Op", "renew");
    const principal = this.home.principal(session);
    if (principal !== undefined && principal !== null)
      this.res.setHeader("Stateway-Session-Principal", String(principal));
  }

  // Placement "instance": what other requests changed meanwhile in our memory stays, as with the
  // gateway's patches.
  #keep(now) {
    const entry = this.home.memory.get(this.id);
    const latest = this.renewed || entry === undefined ? this.text : entry.text;
    const text = this.renewed || latest === this.text ? now : this.#merged(latest, now);
    if (text !== latest || this.renewed) this.home.keep(this.id, text);
    return undefined;
  }

  #merged(latest, now) {
    return JSON.stringify(merge(JSON.parse(latest), JSON.parse(this.text), JSON.parse(now)));
  }

  // The gateway has no document yet. When we have one (the placement was "instance" until now), it goes
  // there as a whole, and our copy stays, up to date, until the gateway shows by a version that it arrived.
  #move(now) {
    if (this.text === this.given) return now;
    this.#keep(now);
    const entry = this.home.memory.get(this.id);
    return this.renewed || entry === undefined ? now : entry.text;
  }

  #patch(now) {
    const changed = now !== this.given && this.#difference(now);
    if (!changed || changed.length === 0) {
      if (!this.renewed) this.#hold(this.version, this.given);
      return undefined;
    }
    const value = changed.join(",");
    if (value.length <= HEADER_OCTETS_MAX) {
      this.res.setHeader("Stateway-Session-Patch", value);
      this.#holdChanged(now);
      return undefined;
    }
    return this.#sendPatches(changed, now);
  }

  #difference(now) {
    const given = JSON.parse(this.given);
    // Members that the session does not show stay in the document, and then `now` is not all of it.
    this.hides = !this.renewed && Object.keys(given).some(isReserved);
    return patches(given, JSON.parse(now), this.hides ? isReserved : undefined);
  }

  async #sendPatches(changed, now) {
    for (const patch of changed) await sendPatch(this.url, patch);
    this.#holdChanged(now);
  }

  #holdChanged(now) {
    if (!this.hides) this.#hold(this.version + 1, now);
  }

  #hold(version, text) {
    if (this.home.hold(this.id, version, this.version, text))
      this.res.setHeader("Stateway-Session-Hold", this.home.token);
  }
}

module.exports = { Exchange };
