"use strict";
// One request and its response: which document it came with, and what goes back to the gateway.

const { isObject, patches, whole, write } = require("./json");
const { merged } = require("./memory");
const { Session, isReserved } = require("./session");
const { sendPatch } = require("./session_url");

const HEADER_OCTETS_MAX = 64 * 1024; // of Stateway-Session-Patch; more goes to the session URL
const CONTROL = /[\u0000-\u001f\u007f]/;
const LATE = "the session cannot change any more: the response's head has been sent";

class Exchange {
  began = performance.now();
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

  /** `given`: the document at the gateway, as text. Throws when it is none. */
  begin(given) {
    this.given = given;
    this.text = this.#textToWorkOn(given);
    this.req.sessionID = this.id;
    this.req.session = new Session(this, this.#parse(this.text));
  }

  #textToWorkOn(given) {
    const { memory } = this.home;
    if (this.version === undefined) {
      const entry = memory.get(this.id);
      this.renewals = entry?.renewals ?? 0;
      return entry?.text ?? given;
    }
    this.leaving = memory.leaving(this.id, this.version);
    if (this.leaving === undefined) return given;
    this.renewals = this.leaving.renewals;
    return this.version === 0 ? this.leaving.text : merged(given, this.leaving.base, this.leaving.text);
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
   * Before the head goes out. A promise when it has to wait. When it throws, or the promise fails, the
   * session cannot be saved.
   */
  settle() {
    const session = this.req.session;
    if (this.ended || (this.home.unsetEnds && (session === null || session === undefined))) {
      this.#end();
      return undefined;
    }
    if (session === null || session === undefined) return undefined;
    const now = write(session);
    this.sent = now;
    if (this.renewed) this.#renew(session);
    if (this.version !== undefined)
      return this.#patch(this.leaving === undefined ? now : this.#move(now));
    this.#keep(now);
    return undefined;
  }

  #end() {
    this.home.memory.delete(this.id);
    this.home.held.delete(this.id);
    this.res.setHeader("Stateway-Session-Op", "end");
  }

  #renew(session) {
    this.res.setHeader("Stateway-Session-Op", "renew");
    const principal = this.home.principal(session);
    if (principal === undefined || principal === null) return;
    if (CONTROL.test(principal)) throw new TypeError("option principal gave a name with control characters");
    // Node writes each character of a header's value as an octet.
    this.res.setHeader("Stateway-Session-Principal", Buffer.from(String(principal)).toString("latin1"));
  }

  // Placement "instance".
  #keep(now) {
    return this.renewed
      ? this.home.replace(this.id, now)
      : this.home.change(this.id, this.text, now, this.renewals);
  }

  // Here is what the gateway does not have yet (the placement was "instance" until now): it goes there. Our
  // copy stays until the gateway shows by a version that it arrived; at version 0, when the gateway has
  // nothing at all, with what this exchange made of it.
  #move(now) {
    const text = this.version === 0 ? this.#keep(now) : this.leaving.text;
    this.home.memory.send(this.id, this.version, text);
    return this.version === 0 ? text : now;
  }

  #patch(now) {
    const changed = this.#difference(now);
    if (changed.length === 0) {
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
    if (this.renewed) {
      // What other exchanges put into the old session meanwhile must not come into the new one.
      return this.version === 0 && now === "{}" ? [] : [whole(JSON.parse(now))];
    }
    if (now === this.given) return [];
    const given = JSON.parse(this.given);
    // Members that the session does not show stay in the document, and then `now` is not all of it.
    this.hides = Object.keys(given).some(isReserved);
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
    if (this.home.hold(this.id, version, this.version, text, this.began))
      this.res.setHeader("Stateway-Session-Hold", this.home.token);
  }
}

module.exports = { Exchange };
