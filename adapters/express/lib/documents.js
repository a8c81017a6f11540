"use strict";
// Documents in this process's memory, by session id: at most so many octets, the longest unused go first.

const ENTRY_OCTETS = 250; // what an entry takes beside its text, about

class Documents {
  #entries = new Map(); // id -> {text, version, octets, used, …}; the first was used longest ago
  #octets = 0;
  dropped = 0; // for want of room

  /**
   * `octetsMax`: of all documents. `idle`: those not used for so many milliseconds are dropped. `stay`:
   * those used within so many milliseconds are not dropped for others; then there is no room. `now()`:
   * milliseconds, never going back.
   */
  constructor({ octetsMax, idle = Infinity, stay = 0, now = () => performance.now() }) {
    this.octetsMax = octetsMax;
    this.idle = idle;
    this.stay = stay;
    this.now = now;
  }

  get size() {
    return this.#entries.size;
  }

  get octets() {
    return this.#octets;
  }

  /** The entry {text, version, …}, or undefined. It counts as used. */
  get(id) {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const now = this.now();
    if (now - entry.used >= this.idle) {
      this.delete(id);
      return undefined;
    }
    entry.used = now;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry;
  }

  /**
   * Keeps a document in place of the id's last one. False, and that one stays, when there is no room.
   * `more`: other members of the entry; its `base` is a text that counts as well.
   */
  put(id, text, version = 0, more = {}) {
    const octets = Buffer.byteLength(text) + Buffer.byteLength(more.base ?? "") + ENTRY_OCTETS;
    if (octets > this.octetsMax) return false; // nobody has to go for what does not fit
    const old = this.#entries.get(id);
    if (!this.#makeRoom(octets - (old === undefined ? 0 : old.octets), id)) return false;
    this.delete(id);
    this.#entries.set(id, { ...more, text, version, octets, used: this.now() });
    this.#octets += octets;
    return true;
  }

  delete(id) {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#octets -= entry.octets;
    this.#entries.delete(id);
  }

  #makeRoom(octets, id) {
    const now = this.now();
    for (const [other, entry] of this.#entries) {
      const age = now - entry.used;
      const over = this.#octets + octets > this.octetsMax;
      if (!over && age < this.idle) break;
      if (other === id) continue;
      if (age < this.stay) return false;
      this.delete(other);
      if (age < this.idle) this.dropped += 1;
    }
    return this.#octets + octets <= this.octetsMax;
  }
}

module.exports = { Documents };
