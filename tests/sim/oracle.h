// What must be true whatever the seed does, and the knowledge to check it with.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/sim/loop.h"
#include "lab/ledger.h"
#include "session/sealed_session.h"
#include "store/memory.h"

namespace stateway::sim {

/// What is known of one session from outside. Its document names its owner, so it can be told whose it is.
struct Known {
  bool begun = false;                // acknowledged
  bool ended = false;                // acknowledged
  bool lost = false;                 // its client has no cookie that opens it, and there is a reason
  unsigned ending = 0;               // requests to end it of which nobody knows what became
  unsigned renewing = 0;             // requests for a new secret of which nobody knows what became
  unsigned renewals = 0;             // those that were sent and those that were answered, each counts
  unsigned counted = 0;              // increments acknowledged
  unsigned may_count = 0;            // … and those of which nobody knows
  std::set<std::int64_t> counts;     // the values acknowledged increments led to
  std::vector<std::string> written;  // items acknowledged, in order

  bool may_have_ended() const { return ended || ending > 0; }
};

class Oracle {
 public:
  /// `cookies`: sessions may live in their cookies, so that one nobody holds the cookie of is gone.
  Oracle(const io::SimLoop& loop, store::MemoryStore& durable, bool cookies)
      : loop_(loop), durable_(durable), cookies_(cookies) {}

  void violation(std::string what);
  /// Prints what happens, with its time, if `on`.
  void tell(bool on) { telling_ = on; }
  bool telling() const { return telling_; }
  void note(std::string_view what) const;
  const std::vector<std::string>& violations() const { return violations_; }

  /// Counts what happened, for those who ask whether the faults do anything.
  void tally(std::string_view what, std::uint64_t times = 1) { tally_[std::string(what)] += times; }
  const std::map<std::string, std::uint64_t>& tally() const { return tally_; }

  Known& known(const std::string& owner) { return known_[owner]; }
  void wrote(const std::string& owner, const std::string& item, lab::Write write);

  /// An instance saw the head of a request. `once`: its route promises that no second one does.
  void arrived(const std::string& request, std::string_view instance, bool once);

  // What is durable at this moment in the session that `cookie` opens by its id, or holds. A session that was
  // asked to end may have taken everything with it.
  bool holds(std::string_view cookie, const std::string& owner, std::string_view item);
  bool counts(std::string_view cookie, const std::string& owner, std::int64_t at_least);
  bool has_ended(std::string_view cookie);

  /// In the end a client holds this cookie.
  void keep(const std::string& owner, std::string cookie) { kept_[owner] = std::move(cookie); }
  /// The end of a run: compares everything that is durable with everything that is known.
  void verify();
  std::size_t sessions() const { return known_.size(); }
  const lab::Ledger& ledger() const { return ledger_; }

 private:
  /// nullopt: no live session.
  std::optional<std::string> document_of(std::string_view cookie);
  std::optional<std::string> recorded(std::string_view id, std::optional<session::SealedSession> sealed);
  void verify_kept(std::set<std::string>& found);
  std::string at() const;
  void verify_document(const std::string& owner, std::string_view document);

  const io::SimLoop& loop_;
  store::MemoryStore& durable_;
  const bool cookies_;
  std::map<std::string, std::string> kept_;  // cookies, by owner
  lab::Ledger ledger_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::string> seen_by_;  // request → instance
  std::vector<std::string> violations_;
  std::map<std::string, std::uint64_t> tally_;
  bool telling_ = false;
};

/// The item that stands for the beginning of a session.
inline const std::string kBeginning = "@begin";

}  // namespace stateway::sim
