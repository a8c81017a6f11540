// Placement "hybrid": which process holds which session's document.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/recent.h"
#include "store/store.h"

namespace stateway::session {

/// 1 to 64 of A-Z a-z 0-9 . _ ~ - : what a process may call what it holds.
bool is_hold_token(std::string_view text);

/// What this gateway knows of it; the truth is in the store, and a process asked for what it does not hold
/// says so. What must not be is that a process takes another document for the one that is meant: it keeps one
/// for each session, under the version it expects its own patch to make. So a version is held only if no
/// other exchange can have left another document under the same version: none that was given the version
/// before it runs, ran at the same time, or broke off with an unknown end. What visits are inside of stays,
/// so there is at most one more entry for each request on its way. Thread-safe.
class Holders {
 public:
  class Visit;

  explicit Holders(std::size_t bytes_max) : known_(bytes_max) {}

  /// What goes where.
  struct Sending {
    std::string id;               // the session's, raw
    bool fresh = false;           // it begins with this exchange: there are no others
    bool again = false;           // this exchange was sent before, and that may still run
    store::Revision version = 0;  // that the exchange was given
    std::uint64_t identity = 0;   // Instance::identity() of the process; 0: not known
    // StateStore::epoch() when it was loaded; nullopt: that changed meanwhile. A store that has lost commits
    // makes other documents under the same versions.
    std::optional<std::uint64_t> epoch = 0;
    Duration idle{};  // for how long anything is remembered
  };
  Visit visit(Sending sending, TimePoint now);
  /// The session ended.
  void forget(std::string_view id) { known_.forget(id); }

  /// Sessions known of.
  std::size_t size() const { return known_.size(); }
  std::size_t bytes() const { return known_.bytes(); }
  /// Forgotten early: there was no room.
  std::uint64_t evicted() const { return known_.evicted(); }

 private:
  struct Known {
    std::uint64_t number = 0;  // of this entry: who came before it is no part of `inside`
    std::uint64_t identity = 0;
    std::string token;
    store::Revision version = 0;  // that is held; 0: none
    std::uint64_t epoch = 0;      // of the store that had it
    // Versions from the first to the last of these may yet be left by visits of unknown end.
    store::Revision doubtful_first = 0;
    store::Revision doubtful_last = 0;  // 0: none
    void doubt(store::Revision made) {
      doubtful_first = doubtful_last == 0 ? made : std::min(doubtful_first, made);
      doubtful_last = std::max(doubtful_last, made);
    }
    bool doubts(store::Revision made) const { return made >= doubtful_first && made <= doubtful_last; }
    unsigned inside = 0;  // visits that have not ended: without this entry nobody knew of them
    bool in_use() const { return inside != 0; }
    store::Revision lowest_given = 0;  // to those inside, or lower
    store::Revision told = 0;          // the highest version that one of those inside was said to hold
    store::Revision crowd_made = 0;    // versions up to this one were made while others were inside, too
  };
  using Table = Recent<Known>;

  static Table::Terms terms(const Known& known, TimePoint until) {
    return {.bytes = known.token.size(), .until = until};
  }
  std::uint64_t next_number() { return numbers_.fetch_add(1, std::memory_order_relaxed) + 1; }

  std::atomic<std::uint64_t> numbers_{0};
  Table known_;
};

/// One sending of an exchange, from before its first octet until its commit. One that just dies has an
/// unknown end. Not thread-safe. A default one is no visit.
class Holders::Visit {
 public:
  Visit() = default;
  Visit(Visit&& other) noexcept { *this = std::move(other); }
  Visit& operator=(Visit&& other) noexcept;
  ~Visit() { end_unknown(); }

  /// What the process holds the version given under; empty: nobody knows that it does.
  const std::string& held() const { return held_; }
  /// Not begun: another exchange is on its way to a process that is said to hold a later version. What this
  /// one makes could go by that number, and be taken for it. Load the session again.
  bool outdated() const { return outdated_; }
  /// The version given is sent as a document after all.
  void send_document() { held_.clear(); }
  /// The answer says that the process keeps the document, under this token.
  void keeps(std::string token) { kept_ = std::move(token); }

  /// … or it cannot be relied on.
  void keeps_not() { kept_.clear(); }
  store::Revision given() const { return sending_.version; }

  /// Nothing was sent, or the process has left everything as it was.
  void end_without_effect();
  /// The process says that it does not hold what it was said to, and has done nothing else.
  void end_needing();
  /// The answer was taken; `now_at` is the session's version after its commit.
  void end(store::Revision now_at);

 private:
  friend class Holders;
  Visit(Holders& holders, Sending sending, TimePoint now)
      : holders_(&holders), sending_(std::move(sending)), began_(now) {}
  void end_unknown();
  template <class Change>
  void leave(Change&& change);

  Holders* holders_ = nullptr;  // nullptr: none, or it has ended
  Sending sending_;
  TimePoint began_;
  std::uint64_t number_ = 0;  // of the entry; 0: the session was fresh
  bool outdated_ = false;
  std::string held_;
  std::string kept_;
};

}  // namespace stateway::session
