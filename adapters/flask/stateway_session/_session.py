"""What `flask.session` is."""
import functools
import json
import time

from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionMixin

from ._patches import write

NO_SESSION = ("this request brought no session. Send it through Stateway, by a route that has a session "
              '(session = "…" in its [[route]]).')

# Values as Flask's own sessions keep them: tuples, dates, bytes and UUIDs as tagged objects.
_serializer = TaggedJSONSerializer()


class StatewaySession(dict, SessionMixin):
    """What `flask.session` is: a dict whose changes, nested ones too, are found when the response is there.
    """

    permanent = True  # how long it lives is for the gateway to say

    def __init__(self, id_, version, url):
        super().__init__()
        self.id, self.version, self.url = id_, version, url
        self.began = time.monotonic()
        self.new = self.accessed = False
        self.renewals = 0  # of the document in memory that this one was made of
        self.leaving = None  # what the gateway has not seen yet: Memory.leaving
        self.cleared = self.renewed = self.ended = self.done = False
        self.instead = None  # the answer to give in place of the application's: (status, body)
        self.given = self.text = "{}"  # the document at the gateway; the one to work on

    @property
    def sid(self):
        return self.id

    def load(self, given, text=None):
        self.given, self.text = given, given if text is None else text
        self.new = not self.version and text is None
        super().update(json.loads(self.text, object_hook=_serializer.untag))

    def written(self):
        """As text. ValueError, TypeError: it is no JSON."""
        return write(_serializer.tag(dict(super().items())))

    def clear(self):
        """As Flask's own sessions have it. What is put into it afterwards is another session for the client
        (a new cookie, whose old one opens nothing: log-in); nothing is the end of it (log-out)."""
        super().clear()
        self.cleared = self.accessed = True

    def regenerate(self):
        """Empties the session; the client gets a new cookie, and the old one opens nothing. For log-in."""
        super().clear()
        self.renewed, self.ended, self.accessed = True, False, True

    def destroy(self):
        """Ends the session, everywhere, whatever is put into it afterwards."""
        super().clear()
        self.ended = self.accessed = True

    def close(self):
        """Before it is saved: what clear() meant."""
        if self.cleared and not self.renewed:
            self.renewed, self.ended = bool(self), self.ended or not self


def _noting_access(name):
    method = getattr(dict, name)

    @functools.wraps(method)
    def noting(self, *args, **members):
        self.accessed = True
        return method(self, *args, **members)

    return noting


# Whose answer depends on the session depends on the cookie, and says so (Vary): as Flask's own sessions.
for _name in ("__contains__ __delitem__ __getitem__ __ior__ __iter__ __len__ __setitem__ get items keys pop "
              "popitem setdefault update values").split():
    setattr(StatewaySession, _name, _noting_access(_name))


class NoSession(dict, SessionMixin):
    """Of a request without a session: whoever needs one is told what to do."""

    def _refuse(self, *_, **__):
        raise RuntimeError("flask.session: " + NO_SESSION)

    __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __len__ = __bool__ = _refuse
    get = pop = setdefault = update = clear = keys = values = items = popitem = regenerate = destroy = _refuse
