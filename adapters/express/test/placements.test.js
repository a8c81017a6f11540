"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");

const { bound, sessionUrl, site, stored } = require("./site");

const BIG = "x".repeat(2000);

function routes(app) {
  app.get("/read", (req, res) => res.json(req.session));
  app.get("/add/:key", async (req, res) => {
    if (req.query.wait) await gates.get(req.query.wait).promise;
    req.session[req.params.key] = Number(req.query.value ?? 1);
    res.json(req.session);
  });
  app.get("/login", (req, res) =>
    req.session.regenerate(() => {
      req.session.user = "ann";
      res.json(req.session);
    }),
  );
  app.get("/logout", (req, res) => req.session.destroy(() => res.end()));
}

const gates = new Map();
function gate(name) {
  let open;
  gates.set(name, { promise: new Promise((resolve) => (open = resolve)) });
  return open;
}

const heldAt = (version, token, more = {}) => ({
  ...stored(undefined, { version }),
  "Stateway-Session-Held": token,
  ...more,
});

test("hybrid: what the process holds need not come again", async (t) => {
  const ask = await site(t, {}, routes);
  const first = await ask("/read", stored({ big: BIG }, { version: 3 }));
  assert.match(first.hold, /^[\w-]{22}$/);
  const again = await ask("/read", heldAt(3, first.hold));
  assert.deepEqual([JSON.parse(again.body), again.hold, again.op], [{ big: BIG }, first.hold, undefined]);
  const changed = await ask("/add/n", heldAt(3, first.hold));
  assert.deepEqual([changed.patches, changed.hold], [[{ n: 1 }], first.hold]);
  assert.deepEqual(JSON.parse((await ask("/read", heldAt(4, first.hold))).body), { big: BIG, n: 1 });
});

test("hybrid: what it does not hold it asks for, before anything happens", async (t) => {
  let ran = 0;
  const ask = await site(t, {}, (app) => {
    app.use((req, res, next) => {
      ran += 1;
      next();
    });
    routes(app);
  });
  const { hold } = await ask("/read", stored({ big: BIG }, { version: 3 }));
  for (const headers of [
    heldAt(4, hold),
    heldAt(2, hold),
    heldAt(3, "another"),
    { ...heldAt(3, hold), "Stateway-Session-Id": "s2" },
  ]) {
    const got = await ask("/read", headers, { method: "POST", body: "x".repeat(100_000) });
    assert.deepEqual([got.op, got.patches, got.hold, got.body], ["need", undefined, undefined, ""]);
  }
  assert.equal(ran, 1);
});

test("hybrid: of two that may have made a version, only the first says that it is held", async (t) => {
  const ask = await site(t, {}, routes);
  await ask("/read", stored({ big: BIG }, { version: 1 }));
  const a = await ask("/add/a", stored({ big: BIG }, { version: 1 }));
  const b = await ask("/add/b", stored({ big: BIG }, { version: 1 }));
  assert.deepEqual([typeof a.hold, b.hold], ["string", undefined]);
  assert.deepEqual(JSON.parse((await ask("/read", heldAt(2, a.hold))).body), { big: BIG, a: 1 });
  // The gateway refused a's patch and took b's: now it sends what version 2 is.
  const given = await ask("/read", stored({ big: BIG, b: 1 }, { version: 2 }));
  assert.equal(given.hold, a.hold);
  assert.deepEqual(JSON.parse((await ask("/read", heldAt(2, a.hold))).body), { big: BIG, b: 1 });
});

test("hybrid: small documents, ended ones, and all if so asked, are not held", async (t) => {
  const ask = await site(t, {}, routes);
  assert.equal((await ask("/read", stored({ small: 1 }))).hold, undefined);
  const { hold } = await ask("/read", stored({ big: BIG }));
  const ended = await ask("/logout", heldAt(1, hold));
  assert.deepEqual([ended.op, ended.hold], ["end", undefined]);
  assert.equal((await ask("/read", heldAt(1, hold))).op, "need");
  const none = await site(t, { hold: false }, routes);
  assert.equal((await none("/read", stored({ big: BIG }))).hold, undefined);
  const all = await site(t, { hold: { min: 0 } }, routes);
  assert.match((await all("/read", stored({}))).hold, /./);
});

test("hybrid: a member that the session does not show is not lost", async (t) => {
  let time = 0;
  t.mock.method(performance, "now", () => time);
  const ask = await site(t, {}, routes);
  const first = await ask("/read", stored({ big: BIG, id: "theirs" }));
  const changed = await ask("/add/a", heldAt(1, first.hold));
  assert.deepEqual([changed.patches, changed.hold], [[{ a: 1 }], undefined]);
});

test("instance: documents stay in memory, and the gateway hears of none", async (t) => {
  const ask = await site(t, {}, routes);
  const silent = ({ patches, op, hold }) =>
    assert.deepEqual([patches, op, hold], [undefined, undefined, undefined]);
  silent(await ask("/add/a", bound()));
  silent(await ask("/add/b", bound()));
  assert.deepEqual(JSON.parse((await ask("/read", bound())).body), { a: 1, b: 1 });
  assert.deepEqual(JSON.parse((await ask("/read", bound("s2"))).body), {});
  const login = await ask("/login", bound());
  assert.deepEqual([login.op, login.patches, login.body], ["renew", undefined, '{"user":"ann"}']);
  assert.deepEqual(JSON.parse((await ask("/read", bound())).body), { user: "ann" });
  assert.equal((await ask("/logout", bound())).op, "end");
  assert.deepEqual(JSON.parse((await ask("/read", bound())).body), {});
});

test("instance: parallel requests have objects of their own, and both changes stay", async (t) => {
  const ask = await site(t, {}, routes);
  await ask("/add/n", bound());
  const open = gate("slow");
  const slow = ask("/add/a?wait=slow", bound());
  await ask("/add/b", bound());
  await ask("/add/n?value=2", bound());
  open();
  assert.deepEqual(JSON.parse((await slow).body), { n: 1, a: 1 });
  assert.deepEqual(JSON.parse((await ask("/read", bound())).body), { n: 2, a: 1, b: 1 });
});

test("instance: memory is bounded in octets and by idle time", async (t) => {
  const warned = t.mock.method(process, "emitWarning", () => {});
  const ask = await site(t, { memory: { octets: 1000 } }, routes);
  for (const id of ["s1", "s2", "s3", "s4", "s5"]) await ask("/add/a", bound(id));
  assert.deepEqual(JSON.parse((await ask("/read", bound("s1"))).body), {});
  assert.deepEqual(JSON.parse((await ask("/read", bound("s5"))).body), { a: 1 });
  assert.equal(warned.mock.callCount(), 1);
  const idle = await site(t, { memory: { idle: 0 } }, routes);
  await idle("/add/a", bound());
  assert.deepEqual(JSON.parse((await idle("/read", bound())).body), {});
});

test("instance: a session that does not fit is refused, and nobody goes for it", async (t) => {
  t.mock.method(console, "error", () => {});
  const ask = await site(t, { memory: { octets: 2000 } }, routes);
  await ask("/add/a", bound("s1"));
  await ask("/add/a", bound("s2"));
  const got = await ask(`/add/${"k".repeat(2000)}`, bound("s2"));
  assert.deepEqual([got.status, got.headers["content-type"]], [500, "application/problem+json"]);
  for (const id of ["s1", "s2"]) assert.equal((await ask("/read", bound(id))).body, '{"a":1}');
});

test("hybrid: what took too long is not held", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const ask = await site(t, {}, (app) => {
    app.get("/slow/:ms", (req, res) => {
      now += Number(req.params.ms);
      req.session.n = 1;
      res.end();
    });
  });
  assert.match((await ask("/slow/60000", stored({ big: BIG }, { id: "s2" }))).hold, /./);
  assert.equal((await ask("/slow/60001", stored({ big: BIG }))).hold, undefined);
});

test("moving: what an exchange of the old placement still changes is not lost", async (t) => {
  let time = 0;
  t.mock.method(performance, "now", () => time);
  const ask = await site(t, {}, routes);
  const late = async (key) => {
    const open = gate(key);
    const got = ask(`/add/${key}?wait=${key}`, bound());
    await ask("/read", bound()); // the one before has begun
    return async () => {
      open();
      assert.equal((await got).patches, undefined);
    };
  };
  const at = async (document, version) => {
    const got = await ask("/read", stored(document, { version }));
    return [JSON.parse(got.body), got.patches];
  };
  await ask("/add/tea", bound());
  const [one, two, three] = [await late("one"), await late("two"), await late("three")];
  assert.deepEqual(await at({}, 0), [{ tea: 1 }, [{ tea: 1 }]]);
  await one();
  // It did not arrive; now it goes as a whole.
  assert.deepEqual(await at({}, 0), [{ tea: 1, one: 1 }, [{ tea: 1, one: 1 }]]);
  assert.deepEqual(await at({ tea: 1, one: 1 }, 1), [{ tea: 1, one: 1 }, undefined]);
  await two();
  // The session has gone on; what is sent is the difference, until a version shows that it arrived.
  for (let i = 0; i < 2; i += 1)
    assert.deepEqual(await at({ tea: 2, milk: 1 }, 2), [{ tea: 2, milk: 1, two: 1 }, [{ two: 1 }]]);
  await three();
  assert.deepEqual(await at({ tea: 2, two: 1 }, 3), [{ tea: 2, two: 1, three: 1 }, [{ three: 1 }]]);
  assert.deepEqual(await at({ tea: 2 }, 4), [{ tea: 2 }, undefined]);
  time += 60_000;
  assert.deepEqual(await at({ tea: 2 }, 4), [{ tea: 2 }, undefined]);
  assert.deepEqual((await ask("/read", bound())).body, "{}", "forgotten");
});

test("moving: a session that was new when the exchange began", async (t) => {
  const ask = await site(t, {}, routes);
  const open = gate("new");
  const slow = ask("/add/late?wait=new", bound());
  await ask("/read", bound());
  assert.equal((await ask("/read", stored({}, { version: 0 }))).patches, undefined);
  open();
  await slow;
  const got = await ask("/login", stored({ n: 1 }, { version: 1 }));
  assert.deepEqual(got.patches, [[{ op: "replace", path: "", value: { user: "ann" } }]]);
  assert.deepEqual((await ask("/read", stored({ n: 1 }, { version: 1 }))).patches, [{ late: 1 }]);
  assert.equal((await ask("/read", stored({ user: "ann" }, { version: 2 }))).patches, undefined);
});

test("instance: what began before a log-in does not write into the session after it", async (t) => {
  t.mock.method(console, "error", () => {});
  const ask = await site(t, {}, routes);
  await ask("/add/a", bound());
  const open = gate("before");
  const slow = ask("/add/late?wait=before", bound());
  await ask("/login", bound());
  open();
  const got = await slow;
  assert.deepEqual([got.status, JSON.parse(got.body).detail], [500, "the session was renewed meanwhile"]);
  assert.equal((await ask("/read", bound())).body, '{"user":"ann"}');
});

test("moving: a session goes to the gateway, and is forgotten a minute after it is there", async (t) => {
  let time = 0;
  t.mock.method(performance, "now", () => time);
  const ask = await site(t, {}, routes);
  await ask("/add/a", bound());
  const moved = await ask("/read", stored({}, { version: 0 }));
  assert.deepEqual([moved.body, moved.patches], ['{"a":1}', [{ a: 1 }]]);
  const again = await ask("/add/b", stored({}, { version: 0 }));
  assert.deepEqual(again.patches, [{ a: 1, b: 1 }], "the first did not arrive");
  assert.deepEqual((await ask("/read", stored({}, { version: 0 }))).patches, [{ a: 1, b: 1 }]);
  const arrived = async () =>
    assert.equal((await ask("/read", stored({ a: 1, b: 1 }, { version: 1 }))).patches, undefined);
  await arrived();
  time = 59_999;
  await arrived();
  assert.equal((await ask("/read", bound())).body, '{"a":1,"b":1}', "one that was under way");
  time = 60_000;
  await arrived();
  assert.deepEqual(JSON.parse((await ask("/read", bound())).body), {}, "forgotten");
});

test("moving: a large one goes by the session URL; log-in and log-out move as well", async (t) => {
  const url = await sessionUrl(t);
  const ask = await site(t, {}, (app) => {
    app.get("/grow", (req, res) => {
      req.session.big = "x".repeat(100_000);
      res.end();
    });
    routes(app);
  });
  await ask("/grow", bound());
  assert.equal((await ask("/read", stored({}, { version: 0, url: url.url }))).patches, undefined);
  assert.equal(url.patches[0].big.length, 100_000);
  const login = await ask("/login", stored({}, { version: 0 }));
  assert.deepEqual(
    [login.op, login.patches],
    ["renew", [[{ op: "replace", path: "", value: { user: "ann" } }]]],
  );
  assert.deepEqual((await ask("/read", stored({}, { version: 0 }))).patches, [{ user: "ann" }]);
  assert.equal((await ask("/logout", stored({}, { version: 0 }))).op, "end");
  assert.equal((await ask("/read", stored({}, { version: 0 }))).patches, undefined);
});
