"""What an application sees, and what the gateway gets, whatever the placement."""
import datetime
import json
import os
import unittest
import uuid

from flask import flash, get_flashed_messages, jsonify, request, session

from asking import SessionUrl, ask, bound, make, stored, whole


class Documents(unittest.TestCase):
    def test_a_change_goes_out_as_a_patch_however_deep_it_is(self):
        client = make()
        document = {"old": 1, "deep": {"a": {"b": 1, "c": 1}}}
        for path in ("/deep", "/deep?redirect"):
            for method in ("GET", "HEAD"):
                got = ask(client, path, stored(document), method)
                self.assertEqual(got.patches, [{"old": None, "deep": {"a": {"b": 2}}}])

    def test_what_is_only_read_sends_nothing(self):
        got = ask(make(), "/read", stored({"a": ["é", 1.5, 1e300], "b": None}))
        self.assertEqual((got.json(), got.patches, got.op), ({"a": ["é", 1.5, 1e300], "b": None}, None, None))

    def test_null_goes_out_as_a_step_of_a_json_patch(self):
        got = ask(make(), "/set/a?value=null", stored({"a": 1}))
        self.assertEqual(got.patches, [[{"op": "add", "path": "/a", "value": None}]])

    def test_values_that_flask_keeps_are_kept(self):
        client = make()
        value = {"when": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), "pair": (1, "a"),
                 "id": uuid.UUID(int=7), "raw": b"\0\xff"}
        found = []

        @client.application.get("/store")
        def store():
            session.update(value)
            flash("saved", "info")
            return ""

        @client.application.get("/find")
        def find():
            found.append({key: session[key] for key in value})
            found.append(get_flashed_messages(with_categories=True))
            return ""

        merge, steps = ask(client, "/store", stored({})).patches
        document = {**merge, **{step["path"][1:]: step["value"] for step in steps}}
        self.assertEqual(ask(client, "/find", stored(document)).patches, [{"_flashes": None}])
        self.assertEqual(found, [value, [("info", "saved")]])

    def test_log_in_and_log_out(self):
        client = make(principal=lambda session: session.get("user"))
        for what, user, op, patches in [
                ("regenerate", "ann", "renew", whole({"user": "ann"})),
                ("regenerate", None, "renew", whole({})),
                ("clear", "ann", "renew", whole({"user": "ann"})),
                ("clear", None, "end", None),
                ("destroy", None, "end", None),
                ("destroy", "ann", "end", None)]:
            with self.subTest(what=what, user=user):
                got = ask(client, f"/do/{what}" + (f"?user={user}" if user else ""), stored({"cart": 1}))
                self.assertEqual((got.op, got.patches), (op, patches))
                who = user if op == "renew" else None
                self.assertEqual(got.headers.get("Stateway-Session-Principal"), who)
        self.assertIsNone(ask(client, "/do/regenerate", stored({}, 0)).patches, "it was empty before")

    def test_a_principal_goes_out_in_utf_8_and_one_with_control_characters_does_not(self):
        for user in ("bob", "José € \U0001f375", 7):
            client = make(principal=lambda session: user)
            sent = ask(client, "/do/regenerate", stored({})).headers["Stateway-Session-Principal"]
            self.assertEqual(sent.encode("latin-1").decode(), str(user))
        for user in ("bob\r\nX: y", "\0", "\x7f", "a\tb", "\ud800"):
            client = make(principal=lambda session: user)
            got = ask(client, "/do/regenerate", stored({}))
            self.assertEqual((got.status, got.op, got.patches), (500, None, None))

    def test_whose_answer_depends_on_the_session_says_so(self):
        client = make()
        uses = {
            "in": lambda: "a" in session, "list": lambda: list(session), "pop": lambda: session.pop("a", 0),
            "set": lambda: session.__setitem__("a", 1), "update": lambda: session.update(a=1),
            "empty": lambda: bool(session), "get": lambda: session.get("a"), "clear": lambda: session.clear()}

        @client.application.get("/use/<what>")
        def use(what):
            uses[what]()
            return ""

        for what in uses:
            self.assertEqual(ask(client, f"/use/{what}", stored({})).headers.get("Vary"), "Cookie", what)
        self.assertIsNone(ask(client, "/healthz", stored({"a": 1})).headers.get("Vary"))

    def test_new_is_a_session_that_nobody_has_put_anything_into(self):
        client = make()

        @client.application.get("/new")
        def new():
            return jsonify(session.new)

        for wanted, headers in [(True, bound()), (True, stored({}, 0)), (False, stored({}, 1))]:
            self.assertEqual(ask(client, "/new", headers).json(), wanted)
        ask(client, "/set/a", bound())
        self.assertEqual(ask(client, "/new", bound()).json(), False)
        self.assertEqual(ask(client, "/new", stored({}, 0)).json(), False, "it is moving")

    def test_tests_of_an_application_can_do_without_the_gateway(self):
        client = make()  # as README.md says
        with client.session_transaction(headers={"Stateway-Session-Id": "test"}) as before:
            before["user"] = "ann"
        client.environ_base["HTTP_STATEWAY_SESSION_ID"] = "test"
        self.assertEqual(client.get("/set/cart").json, {"user": "ann", "cart": 1})
        with client.session_transaction(headers={"Stateway-Session-Id": "test"}) as after:
            self.assertEqual(after["cart"], 1)

    def test_what_is_no_json_is_the_applications_error(self):
        client = make()

        @client.application.get("/bad")
        def bad():
            session.regenerate()
            session["bad"] = float("nan") if "nan" in request.args else 2**64
            return ""

        for path in ("/bad?nan", "/bad"):
            got = ask(client, path, stored({}))
            self.assertEqual((got.status, got.patches, got.op), (500, None, None))

    def test_only_who_has_the_token_may_ask(self):
        client = make(token="sesame")
        for token in (None, "", "sesam", "sesamé"):
            headers = stored({}) if token is None else {**stored({}), "Stateway-Token": token}
            got = ask(client, "/read", headers)
            self.assertEqual((got.status, got.json()["type"]), (403, "urn:stateway:problem:forbidden"))
        self.assertEqual(client.application.ran, 0)
        self.assertEqual(ask(client, "/healthz", {"Stateway-Token": "sesame"}).body, "ok")
        os.environ["STATEWAY_TOKEN"] = "of the environment"
        self.addCleanup(os.environ.pop, "STATEWAY_TOKEN")
        self.assertEqual(ask(make(token=None), "/read", stored({})).status, 403)

    def test_without_the_gateway_who_needs_a_session_is_told_what_to_do(self):
        client = make()
        self.assertEqual(ask(client, "/healthz", {}).body, "ok")
        client.application.testing = True
        with self.assertRaisesRegex(RuntimeError, "Send it through Stateway"):
            ask(client, "/read", {})

    def test_large_documents_are_fetched_and_large_patches_sent(self):
        for name in ("http_proxy", "HTTP_PROXY"):
            os.environ[name] = "http://127.0.0.1:9"
            self.addCleanup(os.environ.pop, name)
        url = SessionUrl(self, json.dumps({"big": "x" * 100_000, "n": 1}))
        client = make()

        @client.application.get("/grow")
        def grow():
            session.update(more="é" * 20_000, none=None)
            return "done"

        self.assertEqual(ask(client, "/set/n?value=2", stored(url=url.url)).patches, [{"n": 2}])
        got = ask(client, "/grow", stored(url=url.url))
        self.assertEqual((got.status, got.body, got.patches), (200, "done", None))
        null = [{"op": "add", "path": "/none", "value": None}]
        self.assertEqual(url.patches, [{"more": "é" * 20_000}, null])
        refused = SessionUrl(self, status=413)
        got = ask(client, "/grow", stored({}, url=refused.url))
        self.assertEqual((got.status, got.headers["Content-Type"]), (500, "application/problem+json"))
        self.assertIn("413", got.json()["detail"])


if __name__ == "__main__":
    unittest.main()
