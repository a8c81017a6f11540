"""Documents in this process's memory."""
import collections
import dataclasses
import threading
import time

ENTRY_OCTETS = 450  # what an entry takes beside its texts, about


@dataclasses.dataclass
class Entry:
    text: str
    version: int
    base: str  # what _memory.py knows of it, as the four below
    sent: str = None
    at: int = 0
    gone: float = None
    renewals: int = 0
    used: float = 0

    @property
    def octets(self):
        return len(self.text) + len(self.base) + ENTRY_OCTETS


class Documents:
    """Documents in this process's memory by session id: at most so many octets, the longest unused go first.
    `idle`: those not used for so many seconds are dropped. `stay`: those used within so many seconds are not
    dropped for others. Any thread."""

    def __init__(self, octets_max, idle=float("inf"), stay=0, now=time.monotonic):
        self.octets_max, self.idle, self.stay, self.now = octets_max, idle, stay, now
        self.octets = self.dropped = 0
        self._entries = collections.OrderedDict()  # id -> Entry; the one used longest ago comes first
        self.lock = threading.RLock()

    def get(self, id_):
        """The entry, or None. It counts as used."""
        with self.lock:
            entry = self._entries.get(id_)
            if entry is None or self.now() - entry.used >= self.idle:
                self.delete(id_)
                return None
            entry.used = self.now()
            self._entries.move_to_end(id_)
            return entry

    def put(self, id_, text, version=0, base="", **more):
        """In place of the id's last one. False, and that one stays, when there is no room."""
        entry = Entry(text, version, base, used=self.now(), **more)
        if entry.octets > self.octets_max:
            return False  # nobody has to go for what does not fit
        with self.lock:
            old = self._entries.get(id_)
            if not self._make_room(entry.octets - (old.octets if old else 0), id_):
                return False
            self.delete(id_)
            self._entries[id_] = entry
            self.octets += entry.octets
            return True

    def delete(self, id_):
        with self.lock:
            entry = self._entries.pop(id_, None)
            if entry:
                self.octets -= entry.octets

    def _make_room(self, octets, id_):
        now = self.now()
        if id_ in self._entries:
            self._entries.move_to_end(id_)
        while (other := next(iter(self._entries), id_)) != id_:
            age = now - self._entries[other].used
            if self.octets + octets <= self.octets_max and age < self.idle:
                break
            if age < self.stay:
                return False
            self.delete(other)
            self.dropped += age < self.idle
        return self.octets + octets <= self.octets_max
