"""What is sent of a document: patches, and documents in memory."""
import copy
import json
import random
import unittest

from stateway_session._documents import ENTRY_OCTETS, Documents
from stateway_session._patches import _same, checked_integer, merge, patches, write


def apply_merge(target, patch):
    """RFC 7396 §2."""
    if not isinstance(patch, dict):
        return patch
    out = target if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = apply_merge(out.get(name), value)
    return out


def apply(document, texts):
    for text in texts:
        patch = json.loads(text)
        if isinstance(patch, dict):
            document = apply_merge(document, patch)
            continue
        for step in patch:
            if step["op"] == "replace":
                document = step["value"]
                continue
            names = [n.replace("~1", "/").replace("~0", "~") for n in step["path"].split("/")[1:]]
            at = document
            for name in names[:-1]:
                at = at[name]  # the parent must be there: RFC 6902 §4.1
            at[names[-1]] = step["value"]
    return document


TABLE = [
    ("{}", "{}", []),
    ('{"b":[1,{"x":1,"y":2}],"a":1}', '{"a":1,"b":[1,{"y":2,"x":1}]}', []),
    ("{}", '{"a":1}', ['{"a":1}']),
    ('{"a":1,"b":2}', '{"b":2}', ['{"a":null}']),
    ('{"a":1,"b":1,"c":true}', '{"a":true,"b":1.0,"c":true}', ['{"a":true,"b":1.0}']),
    ('{"cart":{"tea":1,"milk":2}}', '{"cart":{"tea":1,"milk":3}}', ['{"cart":{"milk":3}}']),
    ('{"cart":{"tea":1}}', '{"cart":{}}', ['{"cart":{"tea":null}}']),
    ('{"cart":[1]}', '{"cart":{}}', ['{"cart":{}}']),
    ('{"cart":{"a":1}}', '{"cart":[]}', ['{"cart":[]}']),
    ('{"a":1}', '{"a":null}', ['[{"op":"add","path":"/a","value":null}]']),
    ('{"a":null}', '{"a":null,"b":1}', ['{"b":1}']),
    ('{"a":null}', "{}", ['{"a":null}']),
    ("{}", '{"a":{"b":null,"c":1}}', ['{"a":{"c":1}}', '[{"op":"add","path":"/a/b","value":null}]']),
    ("{}", '{"a":[null,{"b":null}]}', ['{"a":[null,{"b":null}]}']),
    ("{}", '{"a/b":{"~":null}}', ['{"a/b":{}}', '[{"op":"add","path":"/a~1b/~0","value":null}]']),
    ("{}", '{"d":{" d":"x"},"n":{"u":{" u":"y"}}}',
     ['{"n":{}}',
      '[{"op":"add","path":"/d","value":{" d":"x"}},{"op":"add","path":"/n/u","value":{" u":"y"}}]']),
    ('{"d":{" d":"x"}}', '{"d":{" d":"y"}}', ['[{"op":"add","path":"/d","value":{" d":"y"}}]']),
    ('{"d":{" d":"x"}}', '{"d":{"a":1}}', ['[{"op":"add","path":"/d","value":{"a":1}}]']),
    ('{"d":{"a":1}}', '{"d":{" t":[1]}}', ['[{"op":"add","path":"/d","value":{" t":[1]}}]']),
    ('{"d":{" d":"x"}}', '{"d":1}', ['{"d":1}']),
    ('{"d":{" d":"x"}}', "{}", ['{"d":null}']),
    ("{}", '{"\u00e9":"\U0001f375\u007f"}', ['{"\\u00e9":"\\ud83c\\udf75\\u007f"}']),
]


class Patches(unittest.TestCase):
    def test_they_say_what_changed_and_nothing_else(self):
        for base, now, wanted in TABLE:
            with self.subTest(base=base, now=now):
                texts = patches(json.loads(base), json.loads(now))
                self.assertEqual(texts, wanted)
                self.assertTrue(_same(apply(json.loads(base), texts), json.loads(now)))

    def test_more_nulls_than_operations_are_allowed_replace_the_document(self):
        now = {f"k{i}": None for i in range(1000)}
        texts = patches({"old": 1}, now)
        self.assertEqual(len(texts), 1)
        self.assertEqual(apply({"old": 1}, texts), now)
        del now["k0"]
        self.assertEqual(len(json.loads(patches({}, now)[0])), 999)

    def test_applied_to_the_base_they_give_the_new_document_whatever_it_is(self):
        draws = random.Random(7)

        def value(depth):
            kind = draws.randrange(5 if depth > 3 else 8)
            if kind < 5:
                return [None, 0, 1.5, True, "ü"][kind]
            if kind == 5:
                return [value(depth + 1) for _ in range(draws.randrange(3))]
            return document(depth + 1)

        def document(depth=0):
            names = [draws.choice(["a", "b", "d/e", "~f", "€"]) for _ in range(draws.randrange(5))]
            return {name: value(depth) for name in names}

        for _ in range(3000):
            base, now = document(), document()
            texts = patches(base, now)
            self.assertTrue(_same(apply(copy.deepcopy(base), texts), now), (base, now, texts))
            self.assertEqual(not texts, _same(base, now))

    def test_what_is_written_is_ascii_text_that_the_gateway_takes(self):
        self.assertEqual(write({"a": "é\x7f", "b": "\U0001f375"}),
                         '{"a":"\\u00e9\\u007f","b":"\\ud83c\\udf75"}')
        self.assertEqual(write({"a": "\ud83cx\\ud83c"}), '{"a":"\\ufffdx\\\\ud83c"}')
        self.assertRaises(ValueError, write, {"a": float("nan")})
        self.assertEqual(checked_integer(str(2**64 - 1)), 2**64 - 1)
        self.assertRaises(ValueError, checked_integer, str(2**64))

    def test_merge_brings_two_changes_of_one_document_together(self):
        for latest, base, now, wanted in [
                ({"a": 1}, {"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
                ({"a": 2}, {"a": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}),
                ({"a": 2}, {"a": 1}, {"a": 3}, {"a": 3}),
                ({"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 1}, {"a": 2}),
                ({"c": {"x": 1}}, {}, {"c": {"y": 1}}, {"c": {"x": 1, "y": 1}}),
                ({"d": {" d": "x"}}, {}, {"d": {" t": [1]}}, {"d": {" t": [1]}}),
                ({"d": {" d": "x"}}, {"d": {"a": 1}}, {"d": {"a": 1, "b": 1}}, {"d": {"a": 1, "b": 1}}),
                ({"d": {"a": 1}}, {"d": {" d": "x"}}, {"d": {"b": 1}}, {"d": {"b": 1}}),
                ({}, {"c": {"x": 1}}, {"c": {"x": 1, "y": 1}}, {"c": {"x": 1, "y": 1}})]:
            self.assertEqual(merge(copy.deepcopy(latest), base, now), wanted)


def text(octets):
    """Of an entry of so many octets."""
    return "x" * (octets - ENTRY_OCTETS)


class InMemory(unittest.TestCase):
    def setUp(self):
        self.time = 0

    def documents(self, octets_max, **options):
        return Documents(octets_max, now=lambda: self.time, **options)

    def test_the_longest_unused_go_first_and_octets_are_counted(self):
        documents = self.documents(3000)
        for id_ in "abc":
            self.assertTrue(documents.put(id_, text(1000), 1))
        documents.get("a")
        self.assertTrue(documents.put("d", text(1000)))
        self.assertIsNone(documents.get("b"))
        self.assertEqual((documents.get("a").version, documents.dropped), (1, 1))
        self.assertTrue(documents.put("d", text(2000), 7), "in place of its own")
        self.assertEqual((documents.octets, documents.get("d").version), (3000, 7))
        self.assertFalse(documents.put("e", text(3001)))
        self.assertFalse(documents.put("e", text(2001), base="x" * 1000))
        self.assertEqual((documents.octets, documents.dropped), (3000, 2), "nobody went for it")
        documents.delete("d")
        documents.delete("d")
        self.assertLessEqual(documents.octets, 1000)

    def test_the_idle_go_also_when_there_is_room(self):
        documents = self.documents(10_000, idle=100)
        documents.put("a", text(500))
        documents.put("b", text(500))
        self.time = 60
        documents.get("b")
        self.time = 100
        self.assertIsNone(documents.get("a"))
        self.assertIsNotNone(documents.get("b"))
        self.time = 200
        documents.put("c", text(500))
        self.assertEqual((documents.octets, documents.dropped), (500, 0))

    def test_who_must_stay_for_a_while_is_not_dropped_for_others(self):
        documents = self.documents(1000, stay=60)
        documents.put("a", text(1000), 1)
        self.assertTrue(documents.put("a", text(900), 2), "a newer one of its own may")
        self.time = 59
        self.assertFalse(documents.put("b", text(1000)))
        self.time = 60
        self.assertTrue(documents.put("b", text(1000)))
        self.assertIsNone(documents.get("a"))


if __name__ == "__main__":
    unittest.main()
