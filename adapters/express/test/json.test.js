"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");

const { merge, patches, same, write } = require("../lib/json");

// RFC 7396 §2 and the two operations of RFC 6902 that are used, written as the RFCs have them.
function applyMerge(target, patch) {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const out = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else
      Object.defineProperty(
        out,
        name,
        own(applyMerge(Object.hasOwn(out, name) ? out[name] : undefined, value)),
      );
  }
  return out;
}

const own = (value) => ({ value, writable: true, enumerable: true, configurable: true });

function applySteps(document, steps) {
  let out = document;
  for (const { op, path, value } of steps) {
    if (op === "replace" && path === "") {
      out = value;
      continue;
    }
    assert.equal(op, "add");
    const names = path
      .split("/")
      .slice(1)
      .map((n) => n.replaceAll("~1", "/").replaceAll("~0", "~"));
    let at = out;
    for (const name of names.slice(0, -1)) {
      assert.ok(Object.hasOwn(at, name), `${path} needs its parent`);
      at = at[name];
    }
    Object.defineProperty(at, names.at(-1), own(value));
  }
  return out;
}

function apply(base, list) {
  let out = base;
  for (const text of list) {
    assert.match(text, /^[\x20-\x7e]*$/);
    const patch = JSON.parse(text);
    out = Array.isArray(patch) ? applySteps(out, patch) : applyMerge(out, patch);
  }
  return out;
}

const TABLE = [
  ["{}", "{}", []],
  ['{"a":1}', '{"a":1}', []],
  ['{"b":[1,{"x":1,"y":2}],"a":{"c":1}}', '{"a":{"c":1},"b":[1,{"y":2,"x":1}]}', []],
  ["{}", '{"a":1}', ['{"a":1}']],
  ['{"a":1,"b":2}', '{"b":2}', ['{"a":null}']],
  ['{"a":1,"b":2}', '{"a":1,"b":"2"}', ['{"b":"2"}']],
  ['{"cart":{"tea":1,"milk":2}}', '{"cart":{"tea":1,"milk":3}}', ['{"cart":{"milk":3}}']],
  ['{"cart":{"tea":1}}', '{"cart":{}}', ['{"cart":{"tea":null}}']],
  ['{"cart":[1]}', '{"cart":{}}', ['{"cart":{}}']],
  ['{"cart":{"a":1}}', '{"cart":[]}', ['{"cart":[]}']],
  ['{"list":[1,2]}', '{"list":[1,2,3]}', ['{"list":[1,2,3]}']],
  ['{"a":1}', '{"a":null}', ['[{"op":"add","path":"/a","value":null}]']],
  ['{"a":null}', '{"a":null,"b":1}', ['{"b":1}']],
  ['{"a":null}', "{}", ['{"a":null}']],
  ["{}", '{"a":{"b":null,"c":1}}', ['{"a":{"c":1}}', '[{"op":"add","path":"/a/b","value":null}]']],
  ["{}", '{"a":{"b":{"c":null}}}', ['{"a":{"b":{}}}', '[{"op":"add","path":"/a/b/c","value":null}]']],
  ['{"a":{"x":1}}', '{"a":{"x":null}}', ['[{"op":"add","path":"/a/x","value":null}]']],
  ["{}", '{"a":[null,{"b":null}]}', ['{"a":[null,{"b":null}]}']],
  ["{}", '{"a/b":{"~":null}}', ['{"a/b":{}}', '[{"op":"add","path":"/a~1b/~0","value":null}]']],
  ["{}", '{"a":"\u00e9\ud83c\udf75\u007f"}', ['{"a":"\\u00e9\\ud83c\\udf75\\u007f"}']],
  ["{}", '{"\u00e9":"line\\nend"}', ['{"\\u00e9":"line\\nend"}']],
  ["{}", '{"a":100000000000000000000,"b":[-1e25],"c":0.1}', ['{"a":1e+20,"b":[-1e+25],"c":0.1}']],
  ["{}", '{"a":"12345678901234567890"}', ['{"a":"12345678901234567890"}']],
  ["{}", '{"__proto__":{"a":1},"constructor":2}', ['{"__proto__":{"a":1},"constructor":2}']],
];

test("patches say what changed, and nothing else", () => {
  for (const [base, now, wanted] of TABLE) {
    const list = patches(JSON.parse(base), JSON.parse(now));
    assert.deepEqual(list, wanted, `${base} -> ${now}`);
    assert.ok(same(apply(JSON.parse(base), list), JSON.parse(now)), `${base} -> ${now}`);
  }
});

test("members that are to be kept are kept", () => {
  const keeps = (key) => key === "save";
  assert.deepEqual(patches({ save: 1, a: 1 }, {}, keeps), ['{"a":null}']);
  assert.deepEqual(patches({ a: { save: 1 } }, { a: {} }, keeps), ['{"a":{"save":null}}']);
});

test("more nulls than operations are allowed replace the document", () => {
  const now = JSON.parse(`{${Array.from({ length: 1000 }, (_, i) => `"k${i}":null`).join(",")}}`);
  const list = patches({ save: 1, old: 2 }, now, (key) => key === "save");
  assert.equal(list.length, 1);
  assert.ok(same(apply({ save: 1, old: 2 }, list), { ...now, save: 1 }));
  delete now.k0;
  assert.equal(JSON.parse(patches({}, now)[0]).length, 999);
});

test("whatever is written is text", () => {
  assert.equal(
    write({ a: "\ud83c" + "x", b: "\ud83c\udf75", c: "\\ud83c" }),
    '{"a":"\\ufffdx","b":"\ud83c\udf75","c":"\\\\ud83c"}',
  );
  assert.equal(
    write({ when: new Date(0), not: undefined, a: NaN }),
    '{"when":"1970-01-01T00:00:00.000Z","a":null}',
  );
});

// A generator with a seed: the same documents each time.
function random(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function draw(below, depth) {
  const kind = below(depth > 3 ? 5 : 8);
  if (kind === 0) return null;
  if (kind < 4) return below(3);
  if (kind === 4) return ["", "a", "\u00fc", "~/"][below(4)];
  if (kind === 5) return Array.from({ length: below(3) }, () => draw(below, depth + 1));
  return drawObject(below, depth + 1);
}

function drawObject(below, depth = 0) {
  const out = {};
  for (let i = below(5); i > 0; i -= 1)
    out[["a", "b", "c", "d/e", "~f", "\u20ac"][below(6)]] = draw(below, depth);
  return out;
}

test("applied to the base, patches give the new document, whatever it is", () => {
  const below = random(7);
  for (let i = 0; i < 5000; i += 1) {
    const [base, now] = [drawObject(below), drawObject(below)];
    const list = patches(base, now);
    assert.ok(same(apply(structuredClone(base), list), now), JSON.stringify([base, now, list]));
    assert.equal(list.length === 0, same(base, now));
  }
});

test("merge brings two changes of one document together", () => {
  const rows = [
    [{ a: 1 }, { a: 1 }, { a: 1, b: 2 }, { a: 1, b: 2 }],
    [{ a: 1, c: 3 }, { a: 1 }, { a: 1, b: 2 }, { a: 1, b: 2, c: 3 }],
    [{ a: 2 }, { a: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }],
    [{ a: 2 }, { a: 1 }, { a: 3 }, { a: 3 }],
    [{ a: 2, b: 1 }, { a: 1, b: 1 }, { a: 1 }, { a: 2 }],
    [{ cart: { x: 1 } }, {}, { cart: { y: 1 } }, { cart: { x: 1, y: 1 } }],
    [{}, { cart: { x: 1 } }, { cart: { x: 1, y: 1 } }, { cart: { x: 1, y: 1 } }],
    [{ a: 1 }, {}, { a: null }, { a: null }],
  ];
  for (const [latest, base, now, wanted] of rows)
    assert.deepEqual(merge(structuredClone(latest), base, now), wanted, JSON.stringify([latest, base, now]));
});
