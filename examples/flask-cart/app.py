"""A shop with a cart and a log-in, written for Flask's sessions.

    SESSION_MODULE=flask python3 examples/flask-cart/app.py     sessions in Flask's own signed cookie
    (behind the gateway: stateway.toml)                         sessions at Stateway, wherever it keeps them
"""
import logging
import os
import pathlib
import re
import secrets
import signal
import sys
import threading

from flask import Flask, jsonify, redirect, render_template, request, session
from werkzeug.serving import make_server

app = Flask(__name__)
app.secret_key = os.environ.get("SESSION_SECRET") or secrets.token_hex(32)
if os.environ.get("SESSION_MODULE") != "flask":
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "adapters" / "flask"))
    from stateway_session import StatewaySessionInterface
    app.session_interface = StatewaySessionInterface()  # the one line

PASSWORDS = {"ann": "tea", "bob": "coffee"}
SHELF = ["Tea", "Coffee", "Bread", "Butter", "Crème brûlée"]
PRODUCT = re.compile(r"\w[\w -]{0,39}")
COUNT_MAX = 99


def add(product):
    cart = session.setdefault("cart", {})
    cart[product] = min(cart.get(product, 0) + 1, COUNT_MAX)
    session.modified = True  # Flask's own sessions do not see what happens inside a member
    return cart[product]


def remove(product):
    session.get("cart", {}).pop(product, None)
    session.modified = True


def is_product(product):
    return isinstance(product, str) and PRODUCT.fullmatch(product) is not None


def may_log_in(who):
    return isinstance(who, dict) and PASSWORDS.get(who.get("name"), "") == who.get("password", ...)


def log_in(name):
    """Who logs in gets another session, against session fixation, and keeps the cart."""
    kept = {key: session[key] for key in ("cart", "note") if key in session}
    session.clear()
    session.update(kept, user=name)


def shown():
    note = {"note": session["note"]} if "note" in session else {}
    return jsonify(user=session.get("user"), cart=session.get("cart", {}), **note)


@app.get("/healthz")
def healthz():
    return "ok\n", 200, {"Content-Type": "text/plain"}


# For people: forms, and a redirect after each.

@app.get("/")
def page():
    cart = sorted(session.get("cart", {}).items(), key=lambda item: item[0].lower())
    note = session.get("note")
    return render_template("page.html", shelf=SHELF, cart=cart, note=note if isinstance(note, str) else "",
                           failed=session.pop("failed", False), process=os.getpid())


@app.post("/cart")
def add_one():
    if is_product(request.form.get("product")):
        add(request.form["product"])
    return redirect("/", 303)


@app.post("/cart/remove")
def remove_all():
    remove(request.form.get("product"))
    return redirect("/", 303)


@app.post("/note")
def keep_note():
    session["note"] = request.form.get("note") or None
    return redirect("/", 303)


@app.post("/login")
def log_in_by_form():
    if may_log_in(request.form.to_dict()):
        log_in(request.form["name"])
    else:
        session["failed"] = True
    return redirect("/", 303)


@app.post("/logout")
def log_out_by_form():
    session.clear()
    return redirect("/", 303)


# For programs: the same as JSON.

@app.get("/api/session")
def read():
    return shown()


@app.post("/api/cart")
def add_by_json():
    product = (request.get_json(silent=True) or {}).get("product")
    if not is_product(product):
        return {"error": "no such product"}, 422
    return {"product": product, "count": add(product)}, 201


@app.delete("/api/cart/<product>")
def remove_by_json(product):
    remove(product)
    return shown()


@app.put("/api/note")
def note_by_json():
    session["note"] = request.get_json()
    return {"octets": len(request.get_data())}


@app.post("/api/login")
def log_in_by_json():
    who = request.get_json(silent=True)
    if not may_log_in(who):
        return {"error": "wrong name or password"}, 401
    log_in(who["name"])
    return shown()


@app.post("/api/logout")
def log_out_by_json():
    session.clear()
    return {"user": None}


def main():
    """Serves by Flask's own server, which is for development; others take `app` as well."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    path = os.environ.get("SOCKET")  # the gateway gives each instance it starts SOCKET or PORT
    host, port = (f"unix://{path}", 0) if path else ("127.0.0.1", int(os.environ.get("PORT", "5000")))
    server = make_server(host, port, app, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"flask-cart: listening on {path or server.server_port}", file=sys.stderr, flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
