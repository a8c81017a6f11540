"""The documents that are nowhere but in this process (placement instance), and how they go to the gateway
when the placement changes."""
import json
import time
import warnings

from ._documents import Documents
from ._patches import merge, write

# What has arrived at the gateway stays for a while: requests that were sent here before may still come.
GONE_STAY_SECONDS = 60


def merged(latest, base, now):
    """As the texts they are."""
    return write(merge(json.loads(latest), json.loads(base), json.loads(now)))


class Memory:
    """By session id. An entry has, beside its text: `renewals`, how often the document was replaced; `base`,
    which the gateway needs nothing of any more; `sent` and `at`, what was sent to the gateway last, and to
    which version; and `gone`, when nothing was left to send. Any thread."""

    def __init__(self, octets_max, idle, now=time.monotonic):
        self._documents = Documents(octets_max, idle=idle, now=now)
        self._warned = False

    def get(self, id_):
        """(text, renewals): what an exchange works on; or None."""
        with self._documents.lock:
            entry = self._documents.get(id_)
            return entry and (entry.text, entry.renewals)

    def delete(self, id_):
        self._documents.delete(id_)

    def change(self, id_, base, now, renewals):
        """An exchange made `now` of `base`; what others made of it meanwhile stays, as with the gateway's
        patches. The exchange may have begun before the session left for the gateway, and there be no entry
        any more: then one is made for what it changed. Returns what is in memory then. ValueError: there is
        no room, or the session was renewed since the exchange began, with so many `renewals`: who has the old
        cookie must not write into the new session."""
        with self._documents.lock:
            entry = self._documents.get(id_)
            latest = base if entry is None else entry.text
            if now == base:
                return latest
            if entry and entry.renewals != renewals:
                raise ValueError("the session was renewed meanwhile")
            text = now if latest == base else merged(latest, base, now)
            return self._put(id_, text, entry, base, renewals)

    def replace(self, id_, now):
        """An exchange put `now` in place of what there was. ValueError: there is no room."""
        with self._documents.lock:
            entry = self._documents.get(id_)
            return self._put(id_, now, entry, "{}", (entry.renewals if entry else 0) + 1)

    def _put(self, id_, text, entry, base, renewals):
        more = {"base": entry.base, "sent": entry.sent, "at": entry.at} if entry else {"base": base}
        if not self._documents.put(id_, text, renewals=renewals, **more):
            raise ValueError("the session is larger than memory_octets allows")
        if self._documents.dropped and not self._warned:
            self._warned = True
            warnings.warn("sessions are lost: they do not fit into memory_octets", RuntimeWarning)
        return text

    def leaving(self, id_, version):
        """The gateway has the session, at `version`. What it has not seen yet: (base, text, renewals),
        changes that made `text` of `base`; None: nothing, and then all of it will be forgotten here."""
        with self._documents.lock:
            entry = self._documents.get(id_)
            if entry is None:
                return None
            if version == 0:
                return "{}", entry.text, entry.renewals
            if entry.sent is not None and version > entry.at:
                entry.base, entry.sent = entry.sent, None  # it has arrived
            if entry.base != entry.text:
                return entry.base, entry.text, entry.renewals
            now = self._documents.now()
            entry.gone = now if entry.gone is None else entry.gone
            if now - entry.gone >= GONE_STAY_SECONDS:
                self.delete(id_)
            return None

    def send(self, id_, version, text):
        """`text` is being sent to the gateway, by an exchange that was given `version`."""
        with self._documents.lock:
            entry = self._documents.get(id_)
            if entry is not None:
                entry.sent, entry.at = text, version
