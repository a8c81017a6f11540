"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");

const { Documents } = require("../lib/documents");

const text = (octets) => "x".repeat(octets - 250); // an entry of so many octets

test("the longest unused go first, and octets are counted", () => {
  const documents = new Documents({ octetsMax: 3000 });
  for (const id of ["a", "b", "c"]) assert.ok(documents.put(id, text(1000), 1));
  assert.equal(documents.octets, 3000);
  documents.get("a");
  assert.ok(documents.put("d", text(1000)));
  assert.equal(documents.get("b"), undefined);
  assert.equal(documents.get("a").version, 1);
  assert.equal(documents.dropped, 1);
  assert.equal(documents.octets, 3000);
  assert.ok(documents.put("d", text(2000), 7), "in place of its own");
  assert.deepEqual([documents.size, documents.octets, documents.get("d").version], [2, 3000, 7]);
  documents.delete("d");
  documents.delete("d");
  assert.deepEqual([documents.size, documents.octets], [1, 1000]);
});

test("what does not fit is refused, and what was there stays", () => {
  const documents = new Documents({ octetsMax: 1000 });
  assert.ok(documents.put("a", text(600)));
  assert.equal(documents.put("a", text(1001)), false);
  assert.equal(documents.get("a").text, text(600));
  assert.equal(documents.put("b", text(1001)), false, "and nobody goes for it");
  assert.deepEqual([documents.size, documents.dropped], [1, 0]);
  assert.equal(documents.put("a", text(600), 1, { base: "x".repeat(401) }), false);
  assert.ok(documents.put("a", text(600), 1, { base: "x".repeat(400) }));
  assert.equal(documents.octets, 1000);
});

test("the idle go, also when there is room", () => {
  let now = 0;
  const documents = new Documents({ octetsMax: 10_000, idle: 100, now: () => now });
  documents.put("a", text(500));
  documents.put("b", text(500));
  now = 60;
  assert.ok(documents.get("b"));
  now = 100;
  assert.equal(documents.get("a"), undefined);
  documents.put("a", text(500));
  now = 160;
  documents.put("c", text(500));
  assert.deepEqual([documents.size, documents.dropped], [2, 0]);
});

test("who must stay for a while is not dropped for others", () => {
  let now = 0;
  const documents = new Documents({ octetsMax: 1000, stay: 60, now: () => now });
  documents.put("a", text(1000), 1);
  assert.equal(documents.put("b", text(1000)), false);
  assert.ok(documents.put("a", text(900), 2), "a newer one of its own may");
  now = 59;
  assert.equal(documents.put("b", text(1000)), false);
  now = 60;
  assert.ok(documents.put("b", text(1000)));
  assert.equal(documents.get("a"), undefined);
});
