"use strict";
// JSON as the gateway takes it, and what is different between two documents.

const ESCAPED_SURROGATE = /\\ud[89a-f]/;
const ESCAPE = /\\(?:u[0-9a-f]{4}|[^u])/g;
const NOT_ASCII = /[\u007f-\uffff]/;
const EACH_NOT_ASCII = /[\u007f-\uffff]/g;
const LONG_INTEGER = /\d{19}/;
const INTEGER_END = 2 ** 63;

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON.stringify, with U+FFFD in place of halves of characters (lone surrogates), which are no text. */
function write(value) {
  const text = JSON.stringify(value);
  // JSON.stringify escapes a surrogate only where its other half is missing.
  return ESCAPED_SURROGATE.test(text)
    ? text.replace(ESCAPE, (escape) => (ESCAPED_SURROGATE.test(escape) ? "\\ufffd" : escape))
    : text;
}

/** The text in ASCII, for a header. */
function ascii(text) {
  if (!NOT_ASCII.test(text)) return text;
  return text.replace(EACH_NOT_ASCII, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

// Integers beyond 64 bits would not be kept exactly, so they go out as the doubles they are.
function writeNumber(number) {
  return Number.isInteger(number) && Math.abs(number) >= INTEGER_END
    ? number.toExponential()
    : String(number);
}

function writeWithNumbers(value) {
  if (typeof value === "number") return writeNumber(value);
  if (Array.isArray(value)) return `[${value.map(writeWithNumbers).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).map((key) => `${JSON.stringify(key)}:${writeWithNumbers(value[key])}`);
  return `{${members.join(",")}}`;
}

/** A value that came out of JSON.parse, as the gateway takes it. */
function writeParsed(value) {
  const text = JSON.stringify(value);
  return LONG_INTEGER.test(text) ? writeWithNumbers(value) : text;
}

/** Whether two values that came out of JSON.parse are equal; the order of members does not matter. */
function same(a, b) {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

// Members of the merge patch that makes `now` of `base`. Nulls cannot be in one (there they mean
// "remove"): the places where they belong are added to `nulls`.
function mergeMembers(base, now, pointer, nulls, keeps) {
  const members = [];
  for (const key of Object.keys(base))
    if (!Object.hasOwn(now, key) && !(keeps && keeps(key))) members.push(`${JSON.stringify(key)}:null`);
  for (const key of Object.keys(now)) {
    const value = now[key];
    const old = Object.hasOwn(base, key) ? base[key] : undefined;
    if (value === old) continue;
    const path = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (value === null) {
      nulls.push(path);
    } else if (isObject(value)) {
      const inner = mergeMembers(isObject(old) ? old : {}, value, path, nulls);
      if (inner.length > 0 || !isObject(old)) members.push(`${JSON.stringify(key)}:{${inner.join(",")}}`);
    } else if (!same(old, value)) {
      members.push(`${JSON.stringify(key)}:${writeParsed(value)}`);
    }
  }
  return members;
}

/** The patch that puts `document`, which came out of JSON.parse, in place of whatever there is. */
function whole(document) {
  return ascii(`[{"op":"replace","path":"","value":${writeParsed(document)}}]`);
}

/**
 * What the gateway must apply to `base` to make it `now`: a list of patches, in ASCII, to be applied in
 * order; empty when they are equal. The first is a merge patch (RFC 7396). Nulls follow as a JSON Patch
 * (RFC 6902), when there are any. With more of them than a patch may have operations, the document is
 * replaced as a whole. Both must come out of JSON.parse. `keeps(key)`: members of `base` that stay
 * although `now` does not have them.
 */
function patches(base, now, keeps, operationsMax = 1000) {
  const nulls = [];
  const members = mergeMembers(base, now, "", nulls, keeps);
  if (nulls.length + 1 > operationsMax) {
    const all = { ...now };
    for (const key of Object.keys(base))
      if (!Object.hasOwn(now, key) && keeps && keeps(key)) all[key] = base[key];
    return [whole(all)];
  }
  const out = [];
  if (members.length > 0) out.push(ascii(`{${members.join(",")}}`));
  const steps = nulls.map((path) => `{"op":"add","path":${JSON.stringify(path)},"value":null}`);
  if (steps.length > 0) out.push(ascii(`[${steps.join(",")}]`));
  return out;
}

function put(object, key, value) {
  // Assigning to __proto__ would not make a member.
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** `latest` with what `now` changed since `base`, as the gateway merges patches. Changes `latest`. */
function merge(latest, base, now) {
  for (const key of Object.keys(base)) if (!Object.hasOwn(now, key)) delete latest[key];
  for (const key of Object.keys(now)) {
    const old = Object.hasOwn(base, key) ? base[key] : undefined;
    if (same(old, now[key])) continue;
    const present = Object.hasOwn(latest, key) ? latest[key] : undefined;
    if (isObject(present) && isObject(now[key])) merge(present, isObject(old) ? old : {}, now[key]);
    else put(latest, key, now[key]);
  }
  return latest;
}

module.exports = { ascii, isObject, merge, patches, same, whole, write };
