"""JSON as the gateway takes it, and what is different between two documents."""
import json
import re

from flask.json.tag import TaggedJSONSerializer

TAGS = TaggedJSONSerializer().tags
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


def _is_tagged(value):
    """A date or its like: an object, but one value, of which no part changes alone."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in TAGS


def _difference(base, now, pointer, steps):
    """The merge patch that makes `now` of `base`, but for what it cannot say: nulls (there they mean
    "remove") and values that take an object's place as a whole. They are added to `steps`, of a JSON Patch.
    """
    patch = {key: None for key in base if key not in now}
    for key, value in now.items():
        old = base.get(key)
        if key in base and _same(old, value):
            continue
        path = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if value is None or _is_tagged(value) or (isinstance(value, dict) and _is_tagged(old)):
            steps.append({"op": "add", "path": path, "value": value})
        elif isinstance(value, dict):
            inner = _difference(old if isinstance(old, dict) else {}, value, path, steps)
            if inner or not isinstance(old, dict):
                patch[key] = inner
        else:
            patch[key] = value
    return patch


def whole(document):
    """The patch that puts `document` in place of whatever there is."""
    return write([{"op": "replace", "path": "", "value": document}])


def patches(base, now):
    """What the gateway must apply to `base` to make it `now`, as texts in order: a merge patch (RFC 7396),
    then nulls and tagged values as a JSON Patch (RFC 6902), each when there is something to say. With more of
    them than a patch may have operations the document is replaced as a whole. Both must come out of
    json.loads."""
    steps = []
    patch = _difference(base, now, "", steps)
    if len(steps) + 1 > OPERATIONS_MAX:
        return [whole(now)]
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
        members = [latest.get(key), value, old if isinstance(old, dict) else {}]
        if all(isinstance(each, dict) and not _is_tagged(each) for each in members):
            merge(latest[key], old if isinstance(old, dict) else {}, value)
        else:
            latest[key] = value
    return latest
