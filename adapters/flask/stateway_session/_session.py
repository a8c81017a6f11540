"""What `flask.session` is."""
import json

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
        self.new = version == 0
        self.accessed = False
        self.cleared = self.renewed = self.ended = self.done = False
        self.instead = None  # the answer to give in place of the application's: (status, body)
        self.given = self.text = "{}"  # the document at the gateway; the one to work on

    @property
    def sid(self):
        return self.id

    def load(self, given, text=None):
        self.given, self.text = given, given if text is None else text
        self.update(json.loads(self.text, object_hook=_serializer.untag))

    def written(self):
        """As text. ValueError, TypeError: it is no JSON."""
        return write(_serializer.tag(dict(self)))

    def clear(self):
        """As Flask's own sessions have it. What is put into it afterwards is another session for the client
        (a new cookie, whose old one opens nothing: log-in); nothing is the end of it (log-out)."""
        super().clear()
        self.cleared = True

    def regenerate(self):
        """Empties the session; the client gets a new cookie, and the old one opens nothing. For log-in."""
        super().clear()
        self.renewed, self.ended = True, False

    def destroy(self):
        """Ends the session, everywhere, whatever is put into it afterwards."""
        super().clear()
        self.ended = True

    def close(self):
        """Before it is saved: what clear() meant."""
        if self.cleared and not self.renewed:
            self.renewed, self.ended = bool(self), self.ended or not self

    def __getitem__(self, key):
        self.accessed = True
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.accessed = True
        return super().get(key, default)

    def setdefault(self, key, default=None):
        self.accessed = True
        return super().setdefault(key, default)


class NoSession(dict, SessionMixin):
    """Of a request without a session: whoever needs one is told what to do."""

    def _refuse(self, *_, **__):
        raise RuntimeError("flask.session: " + NO_SESSION)

    __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __len__ = __bool__ = _refuse
    get = pop = setdefault = update = clear = keys = values = items = popitem = regenerate = destroy = _refuse
