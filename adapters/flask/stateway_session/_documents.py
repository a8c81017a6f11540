"""Documents in this process's memory."""
import collections
import threading
import time

ENTRY_OCTETS = 350  # what an entry takes beside its text, about


class Documents:
    """Documents in this process's memory, as (text, version) by session id: at most so many octets, the
    longest unused go first. `idle`: those not used for so many seconds are dropped. `stay`: those used
    within so many seconds are not dropped for others. Any thread."""

    def __init__(self, octets_max, idle=float("inf"), stay=0, now=time.monotonic):
        self.octets_max, self.idle, self.stay, self.now = octets_max, idle, stay, now
        self.octets = self.dropped = 0
        self._entries = collections.OrderedDict()  # id -> (text, version, used); used longest ago comes first
        self.lock = threading.RLock()

    def get(self, id_):
        """(text, version), or None. It counts as used."""
        with self.lock:
            entry = self._entries.get(id_)
            if entry is None or self.now() - entry[2] >= self.idle:
                self.delete(id_)
                return None
            self._entries[id_] = (*entry[:2], self.now())
            self._entries.move_to_end(id_)
            return entry[:2]

    def put(self, id_, text, version=0):
        """In place of the id's last one. False, and that one stays, when there is no room."""
        octets = len(text) + ENTRY_OCTETS
        with self.lock:
            old = self._entries.get(id_)
            if not self._make_room(octets - (len(old[0]) + ENTRY_OCTETS if old else 0), id_):
                return False
            self.delete(id_)
            self._entries[id_] = (text, version, self.now())
            self.octets += octets
            return True

    def delete(self, id_):
        with self.lock:
            entry = self._entries.pop(id_, None)
            if entry:
                self.octets -= len(entry[0]) + ENTRY_OCTETS

    def _make_room(self, octets, id_):
        now = self.now()
        if id_ in self._entries:
            self._entries.move_to_end(id_)
        while (other := next(iter(self._entries), id_)) != id_:
            age = now - self._entries[other][2]
            if self.octets + octets <= self.octets_max and age < self.idle:
                break
            if age < self.stay:
                return False
            self.delete(other)
            self.dropped += age < self.idle
        return self.octets + octets <= self.octets_max
