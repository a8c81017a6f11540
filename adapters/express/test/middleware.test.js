"use strict";
const assert = require("node:assert/strict");
const { Readable } = require("node:stream");
const { test } = require("node:test");

const express = require("express");

const session = require("..");
const { serve, sessionUrl, site, stored } = require("./site");

const count = (app) =>
  app.all("/count", (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1;
    res.json(req.session.n);
  });

test("a change goes out as a patch, whichever way the head goes", async (t) => {
  const ways = {
    json: (res) => res.json({}),
    redirect: (res) => res.redirect("/"),
    end: (res) => res.end(),
    nothing: (res) => res.status(204).end(),
    notModified: (res) => res.status(304).end(),
    writeHead: (res) => res.writeHead(201, { "X-Own": "1" }).end("x"),
    writeHeadArray: (res) => res.writeHead(200, ["X-Own", "1"]).end("x"),
    flush: (res) => {
      res.flushHeaders();
      res.end("x");
    },
    stream: (res) => Readable.from(["a", "b", "c"]).pipe(res),
    error: () => {
      throw new Error("on purpose");
    },
  };
  const ask = await site(t, {}, (app) => {
    app.get("/:way", (req, res) => {
      req.session.seen = [req.params.way];
      delete req.session.old;
      req.session.deep.a.b = 2;
      ways[req.params.way](res);
    });
  });
  for (const way of Object.keys(ways))
    for (const method of ["GET", "HEAD"]) {
      const got = await ask(`/${way}`, stored({ old: 1, deep: { a: { b: 1, c: 1 } } }), { method });
      assert.deepEqual(got.patches, [{ old: null, seen: [way], deep: { a: { b: 2 } } }], `${method} ${way}`);
      if (way.startsWith("writeHead")) assert.equal(got.headers["x-own"], "1");
      if (way === "stream" && method === "GET") assert.equal(got.body, "abc");
    }
});

test("what is only read sends nothing", async (t) => {
  const ask = await site(t, {}, (app) =>
    app.get("/", (req, res) => res.json([req.session, req.sessionID, req.session.id])),
  );
  const got = await ask("/", stored({ a: ["\u00e9"], b: 1 }));
  assert.deepEqual([got.patches, got.op], [undefined, undefined]);
  assert.deepEqual(JSON.parse(got.body), [{ a: ["\u00e9"], b: 1 }, "s1", "s1"]);
  assert.equal((await ask("/", stored({}, { version: 0 }))).patches, undefined);
});

test("null goes out as a step of a JSON Patch", async (t) => {
  const ask = await site(t, {}, (app) =>
    app.get("/", (req, res) => {
      req.session.user = null;
      req.session.n = 1;
      res.end();
    }),
  );
  assert.deepEqual((await ask("/", stored({ user: "a" }))).patches, [
    { n: 1 },
    [{ op: "add", path: "/user", value: null }],
  ]);
});

const whole = (value) => [[{ op: "replace", path: "", value }]];

test("regenerate empties the session, of what others put into it too, and renews its cookie", async (t) => {
  const principal = ({ user }) => user;
  const ask = await site(t, { principal }, (app) => {
    app.post("/login", (req, res) =>
      req.session.regenerate((error) => {
        req.session.user = "ann";
        req.session.save(() => res.redirect(error ? "/error" : "/"));
      }),
    );
    app.post("/other", (req, res) => req.session.regenerate(() => res.end()));
  });
  const login = await ask("/login", stored({ cart: 1, save: 2, user: "bob" }), { method: "POST" });
  assert.deepEqual(login.patches, whole({ user: "ann" }));
  assert.deepEqual(
    [login.op, login.headers["stateway-session-principal"], login.headers.location],
    ["renew", "ann", "/"],
  );
  const other = await ask("/other", stored({}), { method: "POST" });
  assert.deepEqual(
    [other.patches, other.op, other.headers["stateway-session-principal"]],
    [whole({}), "renew", undefined],
  );
  const fresh = await ask("/other", stored({}, { version: 0 }), { method: "POST" });
  assert.deepEqual([fresh.patches, fresh.op], [undefined, "renew"]);
});

test("destroy ends the session, and so does null if asked for", async (t) => {
  const routes = (app) => {
    app.get("/destroy", (req, res) => {
      req.session.n = 1;
      req.session.destroy(() => res.json(req.session === undefined));
    });
    app.get("/null", (req, res) => {
      req.session = null;
      res.end();
    });
  };
  const keep = await site(t, {}, routes);
  const got = await keep("/destroy", stored({ a: 1 }));
  assert.deepEqual([got.op, got.patches, got.body], ["end", undefined, "true"]);
  assert.equal((await keep("/null", stored({ a: 1 }))).op, undefined);
  const destroy = await site(t, { unset: "destroy" }, routes);
  assert.equal((await destroy("/null", stored({ a: 1 }))).op, "end");
});

test("reload forgets changes; touch, save and cookie are harmless", async (t) => {
  const ask = await site(t, {}, (app) =>
    app.get("/", (req, res) => {
      req.session.n = 2;
      req.session.touch().cookie.maxAge = 1000;
      req.session.cookie = { maxAge: 1 };
      req.session.reload(() => res.json(req.session));
    }),
  );
  const got = await ask("/", stored({ n: 1, cookie: "of another service" }));
  assert.deepEqual([got.body, got.patches], ['{"n":1}', undefined]);
});

test("members with the names of methods stay in the document", async (t) => {
  const ask = await site(t, {}, count);
  const got = await ask("/count", stored({ save: 1, constructor: { a: 1 }, n: 4 }));
  assert.deepEqual([got.status, got.patches], [200, [{ n: 5 }]]);
});

test("changes after the head are told to who saves", async (t) => {
  const ask = await site(t, {}, (app) =>
    app.get("/", (req, res) => {
      res.flushHeaders();
      req.session.save((early) => {
        req.session.n = 1;
        req.session.save((late) => res.end(`${early}; ${late}`));
      });
    }),
  );
  assert.match((await ask("/", stored({}))).body, /^undefined; Error: the session cannot change any more/);
});

const isNotSaved = (got, detail) => {
  const { type, detail: said } = JSON.parse(got.body);
  assert.deepEqual(
    [got.status, type, got.patches, got.op],
    [500, "urn:stateway:problem:session-not-saved", undefined, undefined],
  );
  assert.match(said, detail);
};

test("what cannot be saved is a problem, whichever way the head goes", async (t) => {
  const printed = t.mock.method(console, "error", () => {});
  const ways = {
    json: (res) => res.json({}),
    writeHead: (res) => res.writeHead(200, { "Content-Length": 1 }).end("x"),
    stream: (res) => Readable.from(Array(100).fill("z".repeat(10_000))).pipe(res),
    later: (res) => setImmediate(() => res.send("x")),
  };
  const ask = await site(t, {}, (app) =>
    app.get("/:way", (req, res) => {
      req.session.self = req.session;
      req.session.regenerate(() => {
        req.session.self = req.session;
        ways[req.params.way](res);
      });
    }),
  );
  for (const way of Object.keys(ways)) isNotSaved(await ask(`/${way}`, stored({})), /^Converting circular/);
  assert.equal(printed.mock.callCount(), 4);
});

test("a principal goes out in UTF-8, and one with control characters does not", async (t) => {
  t.mock.method(console, "error", () => {});
  const ask = await site(t, { principal: ({ user }) => user }, (app) =>
    app.get("/", (req, res) =>
      req.session.regenerate(() => {
        req.session.user = JSON.parse(req.query.user);
        res.end();
      }),
    ),
  );
  const login = (user) => ask(`/?user=${encodeURIComponent(JSON.stringify(user))}`, stored({}));
  for (const user of ["bob", "Jos\u00e9 \u20ac \ud83c\udf75", 7]) {
    const { headers } = await login(user);
    const octets = Buffer.from(headers["stateway-session-principal"], "latin1");
    assert.equal(octets.toString(), String(user));
  }
  for (const user of ["bob\r\nX: y", "\u0000", "\u007f", "a\tb"])
    isNotSaved(await login(user), /control characters/);
});

test("only who has the token may ask", async (t) => {
  const ask = await site(t, { token: "sesame" }, (app) => app.get("/", (req, res) => res.end("ok")));
  for (const token of [undefined, "", "sesam", "sesame2"]) {
    const got = await ask("/", token === undefined ? stored({}) : { ...stored({}), "Stateway-Token": token });
    assert.equal(got.status, 403);
    assert.equal(JSON.parse(got.body).type, "urn:stateway:problem:forbidden");
  }
  assert.equal((await ask("/", { "Stateway-Token": "sesame" })).body, "ok");
  process.env.STATEWAY_TOKEN = "of the environment";
  t.after(() => delete process.env.STATEWAY_TOKEN);
  const other = await site(t, { token: undefined }, (app) => app.get("/", (req, res) => res.end("ok")));
  assert.equal((await other("/", stored({}))).status, 403);
  assert.equal((await other("/", { ...stored({}), "Stateway-Token": "of the environment" })).status, 200);
});

test("without the gateway, who needs a session is told what to do", async (t) => {
  const routes = (app) => {
    app.get("/healthz", (req, res) => res.end("ok"));
    app.get("/", (req, res) => res.end(String(req.session)));
  };
  const refuse = await site(t, {}, routes);
  assert.equal((await refuse("/healthz")).body, "ok");
  const got = await refuse("/");
  assert.equal(got.status, 500);
  assert.match(got.body, /Send it through Stateway/);
  const ignore = await site(t, { direct: "ignore" }, routes);
  assert.equal((await ignore("/")).body, "undefined");
});

test("large documents are fetched, large patches are sent before the head", async (t) => {
  const url = await sessionUrl(t, { document: JSON.stringify({ big: "x".repeat(100_000), n: 1 }) });
  const ask = await site(t, {}, (app) => {
    count(app);
    app.get("/grow", async (req, res) => {
      req.session.more = "\u00e9".repeat(20_000);
      req.session.none = null;
      res.status(201).set("X-Own", "1");
      for (const piece of ["a", "b"]) if (!res.write(piece)) await new Promise((go) => res.once("drain", go));
      assert.equal(url.patches.length, 2, "it waited");
      res.end("c");
    });
    app.get("/end", (req, res) => {
      req.session.more = "y".repeat(70_000);
      res.send("done");
    });
  });
  const counted = await ask("/count", stored(undefined, { url: url.url }));
  assert.deepEqual([counted.body, counted.patches, url.gets], ["2", [{ n: 2 }], 1]);
  const grown = await ask("/grow", stored(undefined, { url: url.url }));
  assert.deepEqual(
    [grown.status, grown.body, grown.patches, grown.headers["x-own"]],
    [201, "abc", undefined, "1"],
  );
  assert.deepEqual(url.patches, [
    { more: "\u00e9".repeat(20_000) },
    [{ op: "add", path: "/none", value: null }],
  ]);
  const ended = await ask("/end", stored({}, { url: url.url }));
  assert.deepEqual([ended.status, ended.body, url.patches[2].more.length], [200, "done", 70_000]);
});

test("a large patch that is refused is no success", async (t) => {
  const url = await sessionUrl(t, { status: 413 });
  const printed = t.mock.method(console, "error", () => {});
  const ask = await site(t, {}, (app) =>
    app.get("/:way", (req, res) => {
      req.session.more = "y".repeat(70_000);
      res.set("Set-Cookie", "a=b").type("text/plain");
      if (req.params.way === "pipe") Readable.from(Array(100).fill("z".repeat(10_000))).pipe(res);
      else res.send("done");
    }),
  );
  for (const way of ["send", "pipe"]) {
    const got = await ask(`/${way}`, stored({}, { url: url.url }));
    assert.deepEqual(
      [got.status, got.headers["content-type"], got.headers["set-cookie"]],
      [500, "application/problem+json", undefined],
    );
    assert.match(JSON.parse(got.body).detail, /413/);
  }
  assert.equal(printed.mock.callCount(), 2);
});

test("options that the gateway decides are named once", async (t) => {
  const warned = t.mock.method(process, "emitWarning", () => {});
  session({
    secret: "s",
    resave: false,
    saveUninitialized: true,
    cookie: { secure: true, httpOnly: true, path: "/" },
  });
  assert.equal(warned.mock.callCount(), 0);
  session({
    name: "sid",
    store: new session.MemoryStore(),
    genid: () => "x",
    rolling: true,
    cookie: { maxAge: 1 },
  });
  assert.deepEqual(
    warned.mock.calls.map((call) => call.arguments[0].split(" ")[1]),
    ["genid", "name", "rolling", "store", "cookie"],
  );
  assert.throws(() => session({ direct: "x" }), /direct/);
  assert.throws(() => session({ unset: "x" }), /unset/);
});

test("others may wrap responses, applications be mounted, and Express not be there", async (t) => {
  const wrap = (mark) => (req, res, next) => {
    for (const name of ["writeHead", "write", "end"]) {
      const before = res[name];
      res[name] = function (...args) {
        if (name === "writeHead") this.setHeader(mark, "1");
        return before.apply(this, args);
      };
    }
    next();
  };
  const url = await sessionUrl(t);
  const change = (req, res) => {
    req.session.n = "x".repeat(Number(req.url.split("=")[1]));
    res.write("a");
    res.end("b");
  };
  const mounted = express().get("/", change);
  const app = express();
  app.use(wrap("x-before"), session({ token: "" }), session({ token: "" }), wrap("x-after"));
  app.get("/", change);
  app.use("/mounted", mounted);
  app.use("/inner", express().use(session({ token: "" })), change);
  const plain = (req, res) => session({ token: "" })(req, res, () => change(req, res));
  for (const [handler, path] of [
    [app, "/"],
    [app, "/mounted"],
    [app, "/inner"],
    [plain, "/"],
  ]) {
    const ask = await serve(t, handler);
    for (const octets of [10, 70_000]) {
      const got = await ask(`${path}?n=${octets}`, stored({}, { url: url.url }));
      assert.deepEqual([got.status, got.body], [200, "ab"]);
      if (handler === app) assert.deepEqual([got.headers["x-before"], got.headers["x-after"]], ["1", "1"]);
      if (octets === 10) assert.deepEqual(got.patches, [{ n: "x".repeat(10) }]);
      else assert.deepEqual([got.patches, url.patches.pop().n.length], [undefined, octets]);
    }
  }
});
