"""JSON as the gateway takes it, and what is different between two documents."""
import json
import re

OPERATIONS_MAX = 1000  # of the patches of an exchange
INTEGERS = range(-(2**63), 2**64)  # others would not be kept exactly


def checked_integer(digits):
    number = int(digits)
    if number not in INTEGERS:
        raise ValueError(f"a session cannot keep {digits}: an integer beyond 64 bits")
    return number


def write(value):
    """JSON in ASCII on one line, fit for a header."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).replace("\x7f", "\\u007f")
    if "\\ud" in text:  # halves of characters (lone surrogates) are no text
        whole = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(value, ensure_ascii=False))
        return json.dumps(json.loads(whole), separators=(",", ":")).replace("\x7f", "\\u007f")
    return text


def _same(a, b):
    """Whether two values that came out of json.loads are the same JSON; 1, 1.0 and true are not."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b


def _difference(base, now, pointer, nulls):
    """The merge patch that makes `now` of `base`, but for nulls, which it cannot say (there they mean
    "remove"): the places where they belong are added to `nulls`."""
    patch = {key: None for key in base if key not in now}
    for key, value in now.items():
        old = base.get(key)
        if key in base and _same(old, value):
            continue
        path = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if value is None:
            nulls.append(path)
        elif isinstance(value, dict):
            inner = _difference(old if isinstance(old, dict) else {}, value, path, nulls)
            if inner or not isinstance(old, dict):
                patch[key] = inner
        else:
            patch[key] = value
    return patch


def patches(base, now):
    """What the gateway must apply to `base` to make it `now`, as texts in order: a merge patch (RFC 7396),
    then nulls as a JSON Patch (RFC 6902), each when there is something to say. With more nulls than a patch
    may have operations the document is replaced as a whole. Both must come out of json.loads."""
    nulls = []
    patch = _difference(base, now, "", nulls)
    if len(nulls) + 1 > OPERATIONS_MAX:
        return [write([{"op": "replace", "path": "", "value": now}])]
    steps = [{"op": "add", "path": path, "value": None} for path in nulls]
    return [write(part) for part in (patch, steps) if part]


def merge(latest, base, now):
    """`latest` with what `now` changed since `base`, as the gateway merges patches. Changes `latest`."""
    for key in base:
        if key not in now:
            latest.pop(key, None)
    for key, value in now.items():
        old = base.get(key)
        if key in base and _same(old, value):
            continue
        if isinstance(latest.get(key), dict) and isinstance(value, dict):
            merge(latest[key], old if isinstance(old, dict) else {}, value)
        else:
            latest[key] = value
    return latest
