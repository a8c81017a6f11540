// What cookies open: whatever a sealed one holds, whatever the store has beside it, whichever placement the
// session is to have. The first octet says which of them, the second the record's revision; the rest is what
// is sealed, or stands in the cookie as it is.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "io/epoll.h"
#include "io/task_group.h"
#include "session/sessions.h"
#include "store/memory.h"

using namespace stateway;
using session::Slot;

namespace {

struct Case {
  explicit Case(std::uint8_t bits)
      : as_it_is((bits & 1) != 0),
        placement((bits & 2) != 0 ? session::Placement::store : session::Placement::client),
        recorded((bits & 4) != 0),
        state(static_cast<store::State>(bits >> 3 & 3)),
        same_secret((bits & 32) != 0),
        renew((bits & 64) != 0),
        end((bits & 128) != 0) {}
  bool as_it_is;  // not sealed
  session::Placement placement;
  bool recorded;
  store::State state;
  bool same_secret;
  bool renew, end;
};

// Keys that no disk has.
std::string key_file() {
  SeededRandom random(1);
  const std::string text = session::KeySet::made(0, random).text();
  const int fd = memfd_create("keys", MFD_CLOEXEC);
  CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
  CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return "/proc/self/fd/" + std::to_string(fd);
}

struct Ground {
  Ground() { CHECK(keys.use(key_file())); }
  ManualClock clock;
  SeededRandom random{7};
  io::EpollLoop loop;
  session::KeyRing keys{clock, random};
};

Ground& ground() {
  static Ground instance;
  return instance;
}

// Nothing here waits: the store is in memory, and the key file was read just now.
template <class T>
T at_once(io::Task<T> task) {
  struct Run {
    static io::Task<void> run(io::Task<T> t, std::optional<T>& to) { to = co_await std::move(t); }
  };
  std::optional<T> out;
  io::TaskGroup group;
  group.spawn(Run::run(std::move(task), out));
  CHECK(out.has_value());
  return std::move(*out);
}

class Trial {
 public:
  explicit Trial(const Case& which) : case_(which) {
    kind_.name = kind_.cookie = "s";
    kind_.placement = which.placement;
  }

  void run(std::string_view contents, store::Revision revision) {
    const auto held = session::decode_sealed(contents);
    if (held && case_.recorded) record(held->ticket, revision);
    const std::string cookie = case_.as_it_is ? std::string(contents) : ground().keys.seal("s", contents);
    Slot slot = open(cookie);
    if (case_.as_it_is || !held) {
      // A ticket, or the fuzzer has broken the seal.
      CHECK(slot.fresh);
      return;
    }
    const WallMillis now = ground().clock.now();
    const bool expired = now >= held->absolute_expires || now >= held->idle_expires;
    const bool ended = case_.recorded && case_.state == store::State::ended;
    if (expired || ended) CHECK(slot.fresh);
    if (case_.recorded && !case_.same_secret) CHECK(slot.fresh);
    if (!slot.fresh) CHECK(slot.ticket.text() == held->ticket.text());
    change(std::move(slot), cookie);
  }

 private:
  Slot open(const std::string& cookie) {
    http::CookieValues cookies;
    cookies.values[cookies.count++] = cookie;
    auto slot = at_once(sessions_.open(ground().loop, kind_, false, cookies));
    CHECK(slot.has_value());
    CHECK(slot->fresh || slot->kind == &kind_);
    return std::move(*slot);
  }

  void record(const session::Ticket& ticket, store::Revision revision) {
    session::SessionRecord session;
    session.kind = "s";
    session.created = ground().clock.now();
    session.absolute_expires = ground().clock.now() + 1'000'000;
    session.secret_hash = case_.same_secret ? session::secret_hash(ticket) : std::string(32, 'x');
    session.home = session::Home::client;
    session.document = R"({"recorded":true})";
    store::Record record;
    record.revision = revision + 1;
    record.state = case_.state <= store::State::ended ? case_.state : store::State::live;
    record.expires_at = ground().clock.now() + 500'000;
    record.value = session::encode_record(session);
    store::Batch batch;
    batch.writes.push_back({session::key_of(ticket), 0, std::move(record)});
    CHECK(at_once(store_.commit(ground().loop, std::move(batch))).has_value());
  }

  // What a service answers; what was committed is what the client's cookie opens next.
  void change(Slot slot, const std::string& cookie) {
    constexpr std::string_view kPatch = R"({"changed":1})";
    CHECK(slot.patches.add_header_values(std::span(&kPatch, 1)).has_value());
    slot.renew = case_.renew;
    slot.end = case_.end;
    if (!at_once(sessions_.commit(ground().loop, slot, session::Overlap::last))) return;
    if (slot.cookie == Slot::Cookie::clear) {
      CHECK(open(cookie).fresh);
      return;
    }
    const std::string next =
        slot.cookie == Slot::Cookie::set ? std::string(slot.cookie_value.reveal()) : cookie;
    const Slot again = open(next);
    CHECK(!again.fresh && again.ticket.id_text() == slot.ticket.id_text());
    CHECK(again.record.document.find("\"changed\":1") != std::string::npos);
    if (case_.renew) CHECK(open(cookie).fresh || slot.fresh);
  }

  const Case case_;
  session::SessionOptions kind_;
  store::MemoryStore store_{ground().clock, 10};
  session::Sessions sessions_{store_, ground().keys, ground().clock, ground().random, 64 * 1024};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Trial(Case(data[0])).run(input.substr(2), data[1]);
  return 0;
}
