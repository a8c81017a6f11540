// What clients know about their writes, and what that makes of the state they find afterwards.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stateway::lab {

/// What a client knows of one write, from least to most: the strongest that was recorded counts.
enum class Write : unsigned char {
  refused,        // the answer says it did not happen: it must not be there
  indeterminate,  // no answer, or one that says nobody knows: it may be there
  acknowledged,   // the answer says it happened: it must be there
};

/// What is wrong with one session's state. Each list is sorted; empty lists are good news.
struct Findings {
  std::vector<std::string> missing;     // acknowledged, and not there
  std::vector<std::string> duplicated;  // there more than once
  std::vector<std::string> unknown;     // there, and nobody ever wrote it
  std::vector<std::string> undead;      // there although it was refused

  bool clean() const { return missing.empty() && duplicated.empty() && unknown.empty() && undead.empty(); }
  /// One sentence per list that is not empty; at most ten items of each.
  std::string text() const;
};

/// Writes of items, by session. An item is written at most once, under a name of its own; a client that tries
/// it again records it again. Not thread-safe.
class Ledger {
 public:
  void record(std::string_view session, std::string_view item, Write write);

  /// Compares with what a session holds: each item as often as it is there.
  Findings verify(std::string_view session, std::span<const std::string> observed) const;

  std::size_t count(Write write) const;  // items, over all sessions
  std::size_t sessions() const { return writes_.size(); }

 private:
  using Items = std::map<std::string, Write, std::less<>>;
  std::map<std::string, Items, std::less<>> writes_;
};

}  // namespace stateway::lab
