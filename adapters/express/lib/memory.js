"use strict";
// The documents that are nowhere but in this process (placement "instance"), and how they go to the gateway
// when the placement changes.

const { Documents } = require("./documents");
const { merge } = require("./json");

function merged(latest, base, now) {
  return JSON.stringify(merge(JSON.parse(latest), JSON.parse(base), JSON.parse(now)));
}

// An entry has, beside its text: `base`, which the gateway needs nothing of any more; and `sent`, what was
// sent to the gateway last, with `at`, the version that it was sent to.
class Memory {
  #documents;

  /** `octets`, `idle`: as Documents has them. */
  constructor({ octets, idle }) {
    this.#documents = new Documents({ octetsMax: octets, idle });
  }

  get dropped() {
    return this.#documents.dropped;
  }

  /** The document, as text, or undefined. */
  get(id) {
    return this.#documents.get(id)?.text;
  }

  delete(id) {
    this.#documents.delete(id);
  }

  /**
   * An exchange made `now` of `base`; what others made of it meanwhile stays, as with the gateway's
   * patches. The exchange may have begun before the session left for the gateway, and there be no entry
   * any more: then one is made for what it changed. Gives what is in memory then. Throws when there is no
   * room.
   */
  change(id, base, now) {
    const entry = this.#documents.get(id);
    const latest = entry === undefined ? base : entry.text;
    if (now === base) return latest;
    return this.#put(id, latest === base ? now : merged(latest, base, now), entry ?? { base });
  }

  /** An exchange put `now` in place of what there was. Throws when there is no room. */
  replace(id, now) {
    return this.#put(id, now, this.#documents.get(id) ?? { base: "{}" });
  }

  #put(id, text, { base, sent, at }) {
    if (!this.#documents.put(id, text, 0, { base, sent, at }))
      throw new Error("the session is larger than option memory.octets allows");
    return text;
  }

  /**
   * The gateway has the session, at `version`. What it has not seen yet, {base, text}: changes that made
   * `text` of `base`. undefined: nothing, and then all of it is forgotten here.
   */
  leaving(id, version) {
    const entry = this.#documents.get(id);
    if (entry === undefined) return undefined;
    if (version === 0) return { base: "{}", text: entry.text };
    if (entry.sent !== undefined && version > entry.at) {
      entry.base = entry.sent; // it has arrived
      entry.sent = undefined;
    }
    if (entry.base !== entry.text) return { base: entry.base, text: entry.text };
    this.delete(id);
    return undefined;
  }

  /** `text` is being sent to the gateway, by an exchange that was given `version`. */
  send(id, version, text) {
    const entry = this.#documents.get(id);
    if (entry !== undefined) Object.assign(entry, { sent: text, at: version });
  }
}

module.exports = { Memory, merged };
