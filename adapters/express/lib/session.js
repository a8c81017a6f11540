"use strict";
// `req.session`, with the interface of express-session's.

/**
 * What is left of express-session's cookie: it can be read and written, and the gateway decides all the
 * same.
 */
class Cookie {
  constructor(options = {}) {
    Object.assign(this, { path: "/", httpOnly: true, sameSite: "lax", originalMaxAge: null }, options);
    if (typeof options.maxAge === "number") this.originalMaxAge = options.maxAge;
  }

  get maxAge() {
    return this.expires instanceof Date ? this.expires - Date.now() : this.originalMaxAge;
  }

  set maxAge(milliseconds) {
    this.expires = typeof milliseconds === "number" ? new Date(Date.now() + milliseconds) : null;
  }
}

function call(callback, error) {
  if (typeof callback === "function") process.nextTick(callback, error);
}

class Session {
  #exchange;
  #cookie;

  /** Members of `document` whose names this class has are not visible here; they stay in the document. */
  constructor(exchange, document) {
    this.#exchange = exchange;
    for (const key of Object.keys(document)) if (!isReserved(key)) this[key] = document[key];
  }

  get id() {
    return this.#exchange.id;
  }

  get req() {
    return this.#exchange.req;
  }

  get cookie() {
    this.#cookie ??= new Cookie();
    return this.#cookie;
  }

  set cookie(cookie) {
    this.#cookie = cookie;
  }

  /** An empty session in place of this one; the client gets a new cookie. For log-in. */
  regenerate(callback) {
    call(callback, this.#exchange.regenerate());
    return this;
  }

  /** Ends the session, everywhere. */
  destroy(callback) {
    call(callback, this.#exchange.destroy());
    return this;
  }

  /** Forgets the changes made to it: `req.session` is a new object with what the request came with. */
  reload(callback) {
    call(callback, this.#exchange.reload());
    return this;
  }

  /**
   * The gateway saves what the session holds when the response's head goes out; there is nothing to do
   * before.
   */
  save(callback) {
    call(callback, this.#exchange.refuseLate());
    return this;
  }

  /** The gateway lets idle time begin anew with each request; there is nothing to do. */
  touch() {
    return this;
  }

  resetMaxAge() {
    return this;
  }
}

function isReserved(key) {
  return key in Session.prototype;
}

module.exports = { Cookie, Session, isReserved };
