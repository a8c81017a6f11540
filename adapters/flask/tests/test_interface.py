"""A Flask application, and requests to it as the gateway sends them."""
import datetime
import http.server
import json
import logging
import os
import threading
import unittest
import uuid
import warnings

from flask import Flask, Response, flash, get_flashed_messages, jsonify, redirect, request, session

from stateway_session import StatewaySessionInterface

BIG = "x" * 2000


def make(**options):
    """A test client of an application."""
    app = Flask(__name__)
    app.logger.setLevel(logging.CRITICAL)
    app.session_interface = StatewaySessionInterface(**{"token": "", **options})
    app.ran = 0

    @app.before_request
    def count():
        app.ran += 1

    @app.get("/read")
    def read():
        return jsonify(dict(session))

    @app.get("/set/<key>")
    def put(key):
        session[key] = json.loads(request.args.get("value", "1"))
        return jsonify(dict(session))

    @app.get("/deep")
    def deep():
        session["deep"]["a"]["b"] = 2
        session.pop("old", None)
        return redirect("/", 303) if "redirect" in request.args else Response(iter(["a", "b"]))

    @app.get("/do/<what>")
    def do(what):
        getattr(session, what)()
        if "user" in request.args:
            session["user"] = request.args["user"]
        return jsonify(dict(session))

    @app.get("/healthz")
    def healthz():
        return "ok"

    return app.test_client()


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status_code, response.headers
        self.body = response.get_data(as_text=True)
        patch = response.headers.get("Stateway-Session-Patch")
        self.patches = None if patch is None else json.loads(f"[{patch}]")
        self.op = response.headers.get("Stateway-Session-Op")
        self.hold = response.headers.get("Stateway-Session-Hold")

    def json(self):
        return json.loads(self.body)


def ask(client, path, headers, method="GET", **more):
    return Answer(client.open(path, method=method, headers=headers, **more))


def stored(document=None, version=1, url=None, held=None, id_="s1"):
    headers = {"Stateway-Session-Id": id_, "Stateway-Session-Version": str(version)}
    if document is not None:
        headers["Stateway-Session"] = json.dumps(document)
    if url is not None:
        headers["Stateway-Session-Url"] = url
    if held is not None:
        headers["Stateway-Session-Held"] = held
    return headers


def bound(id_="s1"):
    return {"Stateway-Session-Id": id_}


class SessionUrl:
    """A session URL: what is asked of it. `status`: of the answer to a PATCH."""

    def __init__(self, test, document="{}", status=204):
        self.patches = []
        url = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, document.encode())

            def do_PATCH(self):
                url.patches.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(status, b"" if status == 204 else b"no")

            def answer(self, code, body):
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        test.addCleanup(server.server_close)
        test.addCleanup(thread.join)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/0/token"


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

        patch = ask(client, "/store", stored({})).patches[0]
        self.assertEqual(ask(client, "/find", stored(patch)).patches, [{"_flashes": None}])
        self.assertEqual(found, [value, [("info", "saved")]])

    def test_log_in_and_log_out(self):
        client = make(principal=lambda session: session.get("user"))
        for what, user, op, patches in [
                ("regenerate", "ann", "renew", [{"cart": None, "user": "ann"}]),
                ("regenerate", None, "renew", [{"cart": None}]),
                ("clear", "ann", "renew", [{"cart": None, "user": "ann"}]),
                ("clear", None, "end", None),
                ("destroy", None, "end", None),
                ("destroy", "ann", "end", None)]:
            with self.subTest(what=what, user=user):
                got = ask(client, f"/do/{what}" + (f"?user={user}" if user else ""), stored({"cart": 1}))
                self.assertEqual((got.op, got.patches), (op, patches))
                who = user if op == "renew" else None
                self.assertEqual(got.headers.get("Stateway-Session-Principal"), who)

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


class Placements(unittest.TestCase):
    def test_hybrid_what_the_process_holds_need_not_come_again(self):
        client = make()
        first = ask(client, "/read", stored({"big": BIG}, 3))
        self.assertRegex(first.hold, r"^[\w-]{22}$")
        again = ask(client, "/set/n", stored(version=3, held=first.hold))
        self.assertEqual((again.patches, again.hold), ([{"n": 1}], first.hold))
        got = ask(client, "/read", stored(version=4, held=first.hold))
        self.assertEqual(got.json(), {"big": BIG, "n": 1})

    def test_hybrid_what_it_does_not_hold_it_asks_for_before_anything_happens(self):
        client = make()
        hold = ask(client, "/read", stored({"big": BIG}, 3)).hold
        for headers in (stored(version=4, held=hold), stored(version=3, held="another"),
                        stored(version=3, held=hold, id_="s2")):
            got = ask(client, "/set/a", headers)
            self.assertEqual((got.op, got.patches, got.hold, got.body), ("need", None, None, ""))
        self.assertEqual(client.application.ran, 1)

    def test_hybrid_of_two_that_may_have_made_a_version_only_the_first_says_that_it_is_held(self):
        client = make()
        a = ask(client, "/set/a", stored({"big": BIG}))
        b = ask(client, "/set/b", stored({"big": BIG}))
        self.assertEqual((bool(a.hold), b.hold), (True, None))
        self.assertEqual(ask(client, "/read", stored(version=2, held=a.hold)).json(), {"big": BIG, "a": 1})
        # The gateway refused a's patch and took b's: now it sends what version 2 is.
        ask(client, "/read", stored({"big": BIG, "b": 1}, 2))
        self.assertEqual(ask(client, "/read", stored(version=2, held=a.hold)).json(), {"big": BIG, "b": 1})

    def test_hybrid_small_documents_and_ended_ones_are_not_held(self):
        client = make()
        self.assertIsNone(ask(client, "/read", stored({"small": 1})).hold)
        hold = ask(client, "/read", stored({"big": BIG})).hold
        self.assertIsNone(ask(client, "/do/destroy", stored(version=1, held=hold)).hold)
        self.assertEqual(ask(client, "/read", stored(version=1, held=hold)).op, "need")
        self.assertIsNone(ask(make(hold_octets=0), "/read", stored({"big": BIG})).hold)

    def test_instance_documents_stay_in_memory_and_the_gateway_hears_of_none(self):
        client = make()
        for got in (ask(client, "/set/a", bound()), ask(client, "/set/b", bound())):
            self.assertEqual((got.patches, got.op, got.hold), (None, None, None))
        self.assertEqual(ask(client, "/read", bound()).json(), {"a": 1, "b": 1})
        self.assertEqual(ask(client, "/read", bound("s2")).json(), {})
        self.assertEqual(ask(client, "/do/clear?user=ann", bound()).op, "renew")
        self.assertEqual(ask(client, "/read", bound()).json(), {"user": "ann"})
        self.assertEqual(ask(client, "/do/clear", bound()).op, "end")
        self.assertEqual(ask(client, "/read", bound()).json(), {})

    def test_instance_parallel_requests_have_objects_of_their_own_and_both_changes_stay(self):
        client = make()

        @client.application.get("/nested")
        def nested():
            session["a"] = 1
            other = ask(client.application.test_client(), "/set/n?value=2", bound())
            return jsonify(mine=dict(session), other=other.json())

        ask(client, "/set/n", bound())
        got = ask(client, "/nested", bound()).json()
        self.assertEqual(got, {"mine": {"n": 1, "a": 1}, "other": {"n": 2}})
        self.assertEqual(ask(client, "/read", bound()).json(), {"n": 2, "a": 1})

    def test_instance_memory_is_bounded(self):
        client = make(memory_octets=1000)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for i in range(4):
                ask(client, "/set/a", bound(f"s{i}"))
        self.assertEqual(ask(client, "/read", bound("s0")).json(), {})
        self.assertEqual(ask(client, "/read", bound("s3")).json(), {"a": 1})
        self.assertTrue(warned)
        idle = make(memory_idle=0)
        ask(idle, "/set/a", bound())
        self.assertEqual(ask(idle, "/read", bound()).json(), {})

    def test_moving_a_session_goes_to_the_gateway_and_is_forgotten_once_it_is_there(self):
        client = make()
        ask(client, "/set/a", bound())
        moved = ask(client, "/read", stored({}, 0))
        self.assertEqual((moved.json(), moved.patches), ({"a": 1}, [{"a": 1}]))
        again = ask(client, "/set/b", stored({}, 0))
        self.assertEqual(again.patches, [{"a": 1, "b": 1}], "the first did not arrive")
        self.assertIsNone(ask(client, "/read", stored({"a": 1, "b": 1}, 1)).patches)
        self.assertEqual(ask(client, "/read", bound()).json(), {}, "forgotten")


if __name__ == "__main__":
    unittest.main()
