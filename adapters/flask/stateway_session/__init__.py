"""Sessions for Flask behind the Stateway gateway: see README.md.

    app.session_interface = StatewaySessionInterface()
"""
import hmac
import http.client
import json
import os
import re
import secrets
import threading
import time

from flask import session as session_of_request
from flask.sessions import SessionInterface

from ._documents import Documents
from ._memory import Memory, merged
from ._patches import checked_integer, patches, whole
from ._session import NoSession, StatewaySession
from ._session_url import fetch_document, send_patch

__all__ = ["StatewaySession", "StatewaySessionInterface"]

HEADER_OCTETS_MAX = 64 * 1024  # of Stateway-Session-Patch; more goes to the session URL
# A held document is not dropped for others before the gateway has surely committed, or refused, what it came
# from.
HOLD_STAY_SECONDS = 60
CONTROL = re.compile("[\0-\x1f\x7f]")


class StatewaySessionInterface(SessionInterface):
    """`token`: what Stateway-Token must say; the environment's STATEWAY_TOKEN unless given.
    `principal(session)`: the user of a session that was regenerated. `hold_octets`, `hold_min`: documents
    held for placement hybrid, and the length from which it is worth it. `memory_octets`, `memory_idle`
    (seconds): the sessions of placement instance."""

    null_session_class = NoSession

    def __init__(self, token=None, principal=None, hold_octets=64 << 20, hold_min=1024,
                 memory_octets=128 << 20, memory_idle=24 * 3600):
        self.secret = (os.environ.get("STATEWAY_TOKEN", "") if token is None else token).encode()
        self.principal = principal or (lambda session: None)
        self.token = secrets.token_urlsafe(16)
        self.hold_min = hold_min
        self.held = Documents(hold_octets, stay=HOLD_STAY_SECONDS)
        self.memory = Memory(memory_octets, memory_idle)
        self._lock = threading.Lock()

    # Before the application.

    def open_session(self, app, request):
        self._stand_in_front(app)
        headers = request.headers
        came = headers.get("Stateway-Token", "").encode("latin-1")
        id_, version = headers.get("Stateway-Session-Id"), headers.get("Stateway-Session-Version")
        session = StatewaySession(id_, None if version is None else int(version),
                                  headers.get("Stateway-Session-Url"))
        if self.secret and not hmac.compare_digest(came, self.secret):
            session.instead = 403, _problem(403, "forbidden", "Forbidden",
                                            "only the gateway may ask: Stateway-Token is missing or wrong")
        elif id_ is None:
            return None
        else:
            self._load(session, headers)
        return session

    def _load(self, session, headers):
        given = "{}"
        if session.version is not None:
            given = headers.get("Stateway-Session")
            token = headers.get("Stateway-Session-Held")
            if given is None and token is not None:
                entry = self.held.get(session.id) if token == self.token else None
                if entry is None or entry.version != session.version:
                    session.instead = 200, ""
                    return
                given = entry.text
            elif given is None:
                given = fetch_document(session.url)
        if session.version is None:
            text, session.renewals = self.memory.get(session.id) or (None, 0)
            session.load(given, text)
            return
        session.leaving = self.memory.leaving(session.id, session.version)
        if session.leaving:
            base, text, session.renewals = session.leaving
            session.load(given, merged(given, base, text))
        else:
            session.load(given)

    def _stand_in_front(self, app):
        """An interface cannot answer. The first function that runs before requests can."""
        if self._answer in app.before_request_funcs.get(None, ()):
            return
        with self._lock:
            first = app.before_request_funcs.setdefault(None, [])
            if self._answer not in first:
                first.insert(0, self._answer)

    @staticmethod
    def _answer():
        instead = getattr(session_of_request, "instead", None)
        return instead and (instead[1], instead[0])

    # After the application.

    def save_session(self, app, session, response):
        if session is None or session.done:
            return
        session.done = True  # should anything below fail, the error's own response goes out as it is
        if session.instead:
            self._send_instead(session, response)
            return
        session.close()
        if session.accessed:
            response.vary.add("Cookie")
        if session.ended:
            self.memory.delete(session.id)
            self.held.delete(session.id)
            response.headers["Stateway-Session-Op"] = "end"
            return
        now = session.written()
        if session.renewed:
            self._renew(session, response)
        if session.version is None:
            self._keep(session, now)
        else:
            self._patch(app, session, response, self._move(session, now) if session.leaving else now)

    @staticmethod
    def _send_instead(session, response):
        status, body = session.instead
        response.status_code = status
        response.set_data(body)
        if status == 200:
            response.headers["Stateway-Session-Op"] = "need"
        else:
            response.content_type = "application/problem+json"

    def _renew(self, session, response):
        response.headers["Stateway-Session-Op"] = "renew"
        principal = self.principal(session)
        if principal is None:
            return
        if CONTROL.search(str(principal)):
            raise ValueError("the principal's name holds control characters")
        # WSGI writes each character of a header's value as an octet.
        response.headers["Stateway-Session-Principal"] = str(principal).encode().decode("latin-1")

    def _keep(self, session, now):
        """Placement instance. Returns what is in memory then."""
        if session.renewed:
            return self.memory.replace(session.id, now)
        return self.memory.change(session.id, session.text, now, session.renewals)

    def _move(self, session, now):
        """Here is what the gateway does not have yet (the placement was instance until now): it goes there.
        Our copy stays until the gateway shows by a version that it arrived; at version 0, when the gateway
        has nothing at all, with what this exchange made of it. Returns what the gateway must have."""
        if session.version == 0:
            now = self._keep(session, now)
        self.memory.send(session.id, session.version, session.leaving[1] if session.version else now)
        return now

    def _patch(self, app, session, response, now):
        changed = self._difference(session, now)
        if not changed:
            if not session.renewed:
                self._hold(session, response, session.version, session.given)
            return
        value = ",".join(changed)
        if len(value) <= HEADER_OCTETS_MAX:
            response.headers["Stateway-Session-Patch"] = value
        elif not self._send(app, session, response, changed):
            return
        self._hold(session, response, session.version + 1, now)

    @staticmethod
    def _difference(session, now):
        parsed = json.loads(now, parse_int=checked_integer if re.search(r"\d{19}", now) else None)
        if session.renewed:
            # What other exchanges put into the old session meanwhile must not come into the new one.
            return [whole(parsed)] if parsed or session.version else []
        return [] if now == session.given else patches(json.loads(session.given), parsed)

    @staticmethod
    def _send(app, session, response, changed):
        try:
            for patch in changed:
                send_patch(session.url, patch)
            return True
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            app.logger.exception("the session could not be saved")
            response.headers.clear()
            response.status_code = 500
            response.content_type = "application/problem+json"
            title = "The session could not be saved"
            response.set_data(_problem(500, "session-not-saved", title, str(error)))
            return False

    def _hold(self, session, response, version, text):
        """Holds `text` as a version of the session and says so, if that is sure.

        A version that was held for an exchange's own patch may belong to another exchange after all: both
        were given the same version, and only one of the patches made the next. So the first to expect a
        version is the only one: the gateway hears of no other, and when that one's patch was refused or
        rebased, the gateway does not believe that we hold it. What was expected when this exchange began is
        known for HOLD_STAY_SECONDS."""
        if len(text) < self.hold_min or time.monotonic() - session.began > HOLD_STAY_SECONDS:
            return
        with self.held.lock:
            entry = self.held.get(session.id)
            if entry is not None and entry.version > session.version:
                return
            if self.held.put(session.id, text, version):
                response.headers["Stateway-Session-Hold"] = self.token


def _problem(status, code, title, detail):
    type_ = f"urn:stateway:problem:{code}"
    return json.dumps({"type": type_, "title": title, "status": status, "detail": detail})
