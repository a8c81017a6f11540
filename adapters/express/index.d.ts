// Types of stateway-session. Add the members of your sessions to SessionData, as with express-session:
//   declare module "stateway-session" { interface SessionData { user?: string } }
import { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";

declare function session(
  options?: session.SessionOptions,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

declare namespace session {
  interface SessionData {
    cookie: Cookie;
  }

  interface SessionOptions {
    /** What Stateway-Token must say. Default: the environment's STATEWAY_TOKEN. Empty: not asked for. */
    token?: string;
    /**
     * Requests that brought no session: req.session throws ("refuse", the default), or is undefined
     * ("ignore").
     */
    direct?: "refuse" | "ignore";
    /** The user of a session that was regenerated: lists and log-out everywhere work by it. */
    principal?: (session: Session & Partial<SessionData>) => string | undefined;
    /**
     * Placement "hybrid": documents kept by this process. false: none. `min`: shorter ones are not worth
     * it.
     */
    hold?: false | { octets?: number; min?: number };
    /**
     * Placement "instance": sessions kept by this process; those idle for so many milliseconds are dropped.
     */
    memory?: { octets?: number; idle?: number };
    /** "destroy": `req.session = null` ends the session. */
    unset?: "destroy" | "keep";
    /** Options of express-session that the gateway decides. */
    [ignored: string]: unknown;
  }

  class Cookie {
    maxAge: number | null;
    originalMaxAge: number | null;
    expires?: Date | null;
    path?: string;
    httpOnly?: boolean;
    sameSite?: boolean | "lax" | "strict" | "none";
  }

  class Session {
    readonly id: string;
    cookie: Cookie;
    regenerate(callback: (error?: Error) => void): this;
    destroy(callback: (error?: Error) => void): this;
    reload(callback: (error?: Error) => void): this;
    save(callback?: (error?: Error) => void): this;
    touch(): this;
    resetMaxAge(): this;
  }

  class Store extends EventEmitter {}
  class MemoryStore extends Store {}
}

declare global {
  namespace Express {
    interface Request {
      session: session.Session & Partial<session.SessionData>;
      sessionID: string;
    }
  }
}

export = session;
