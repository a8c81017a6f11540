"use strict";
// The documents that are nowhere but in this process (placement "instance"), and how they go to the gateway
// when the placement changes.

const { Documents } = require("./documents");
const { merge } = require("./json");

function merged(latest, base, now) {
  return JSON.stringify(merge(JSON.parse(latest), JSON.parse(base), JSON.parse(now)));
}

// What has arrived at the gateway stays for a while: exchanges that were sent here before may still come.
const GONE_STAY_MS = 60_000;

// An entry has, beside its text: `renewals`, how often the document was replaced; `base`, which the gateway
// needs nothing of any more; `sent`, what was sent to the gateway last, with `at`, the version that it was
// sent to; and `gone`, when nothing was left to send.
class Memory {
  #documents;

  /** `octets`, `idle`: as Documents has them. */
  constructor({ octets, idle }) {
    this.#documents = new Documents({ octetsMax: octets, idle });
  }

  get dropped() {
    return this.#documents.dropped;
  }

  /** What an exchange works on: {text, renewals}, or undefined. */
  get(id) {
    return this.#documents.get(id);
  }

  delete(id) {
    this.#documents.delete(id);
  }

  /**
   * An exchange made `now` of `base`; what others made of it meanwhile stays, as with the gateway's
   * patches. The exchange may have begun before the session left for the gateway, and there be no entry
   * any more: then one is made for what it changed. Gives what is in memory then. Throws when there is no
   * room, or when the session was renewed since the exchange began, with so many `renewals`: who has the
   * old cookie must not write into the new session.
   */
  change(id, base, now, renewals) {
    const entry = this.#documents.get(id);
    const latest = entry === undefined ? base : entry.text;
    if (now === base) return latest;
    if (entry !== undefined && entry.renewals !== renewals)
      throw new Error("the session was renewed meanwhile");
    return this.#put(id, latest === base ? now : merged(latest, base, now), entry ?? { base, renewals });
  }

  /** An exchange put `now` in place of what there was. Throws when there is no room. */
  replace(id, now) {
    const { renewals, ...more } = this.#documents.get(id) ?? { base: "{}", renewals: 0 };
    return this.#put(id, now, { ...more, renewals: renewals + 1 });
  }

  #put(id, text, { renewals, base, sent, at }) {
    if (!this.#documents.put(id, text, 0, { renewals, base, sent, at }))
      throw new Error("the session is larger than option memory.octets allows");
    return text;
  }

  /**
   * The gateway has the session, at `version`. What it has not seen yet, {base, text, renewals}: changes that
   * made `text` of `base`. undefined: nothing, and then all of it will be forgotten here.
   */
  leaving(id, version) {
    const entry = this.#documents.get(id);
    if (entry === undefined) return undefined;
    const { text, renewals } = entry;
    if (version === 0) return { base: "{}", text, renewals };
    if (entry.sent !== undefined && version > entry.at) {
      entry.base = entry.sent; // it has arrived
      entry.sent = undefined;
    }
    if (entry.base !== text) return { base: entry.base, text, renewals };
    const now = this.#documents.now();
    entry.gone ??= now;
    if (now - entry.gone >= GONE_STAY_MS) this.delete(id);
    return undefined;
  }

  /** `text` is being sent to the gateway, by an exchange that was given `version`. */
  send(id, version, text) {
    const entry = this.#documents.get(id);
    if (entry !== undefined) Object.assign(entry, { sent: text, at: version });
  }
}

module.exports = { Memory, merged };
