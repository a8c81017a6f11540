"""A Flask application, and requests to it as the gateway sends them."""
import http.server
import json
import logging
import threading

from flask import Flask, Response, jsonify, redirect, request, session

from stateway_session import StatewaySessionInterface


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


def whole(document):
    return [[{"op": "replace", "path": "", "value": document}]]


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
