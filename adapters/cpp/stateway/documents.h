// The documents that a process keeps between requests: copies of what the gateway has (placement "hybrid"),
// and those that are nowhere else (placement "instance"). Both are safe to use from many threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stateway/patch.h"

namespace stateway::adapter {

using Document = std::shared_ptr<const json::object>;
using Version = std::uint64_t;
using Clock = std::chrono::steady_clock;

namespace detail {

/// Values by session id, in the order of their last use. Not safe by itself.
template <class Value>
class Recent {
 public:
  struct Entry {
    std::string id;
    Value value;
    std::size_t bytes;
    Clock::time_point used;
  };

  Entry* find(const std::string& id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &*found->second;
  }
  /// Adds it, or puts it in place of what the id had; it was used now.
  Entry& put(const std::string& id, Value value, std::size_t bytes, Clock::time_point now) {
    erase(id);
    entries_.push_front({id, std::move(value), bytes + kOverheadBytes, now});
    by_id_.emplace(id, entries_.begin());
    bytes_ += entries_.front().bytes;
    return entries_.front();
  }
  void touch(Entry& entry, Clock::time_point now) {
    entry.used = now;
    entries_.splice(entries_.begin(), entries_, by_id_.at(entry.id));
  }
  void erase(const std::string& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    bytes_ -= found->second->bytes;
    entries_.erase(found->second);
    by_id_.erase(found);
  }
  /// The one whose last use is longest ago, or nullptr.
  Entry* oldest() { return entries_.empty() ? nullptr : &entries_.back(); }
  std::size_t bytes() const { return bytes_; }

  static constexpr std::size_t kOverheadBytes = 512;  // of an entry beside its document's text

 private:
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_id_;
  std::size_t bytes_ = 0;
};

}  // namespace detail

/// Copies of documents, by id and version, so that the gateway need not send them (placement "hybrid"). The
/// gateway knows best which version counts; this must never give out another document under that number, so
/// of two that exchanges made of the same version neither is kept.
class Copies {
 public:
  explicit Copies(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  struct Found {
    Document document;  // null: not known
    std::size_t bytes = 0;
  };
  /// The document that `id` has at `version`.
  Found find(const std::string& id, Version version) {
    const std::lock_guard lock(mutex_);
    const auto* entry = documents_.find(id);
    if (entry == nullptr || entry->value.version != version) return {};
    return {entry->value.document, entry->bytes - documents_.kOverheadBytes};
  }
  /// What an exchange knows of `id` at its end: `document` at `version`, which the gateway gave it (`given`)
  /// or which it made by a patch. `began`: the exchange. False: it is not kept.
  bool keep(const std::string& id, Version version, Document document, std::size_t bytes, bool given,
            Clock::time_point began, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    // What others made of the same version meanwhile may have been forgotten again, and is not seen any more.
    if (now - began > kYoung) return false;
    if (auto* entry = documents_.find(id)) {
      if (entry->value.version > version) return false;
      const bool doubtful = entry->value.version == version && !given &&
                            (entry->value.document == nullptr || *entry->value.document != *document);
      if (doubtful) {
        documents_.put(id, {version, nullptr}, 0, now);
        return false;
      }
    }
    if (!make_room(bytes, now)) return false;
    documents_.put(id, {version, std::move(document)}, bytes, now);
    return true;
  }
  void forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    documents_.erase(id);
  }

 private:
  struct Copy {
    Version version = 0;
    Document document;  // null: two were made
  };
  static constexpr std::chrono::seconds kYoung{60};

  // Young ones stay: they tell what exchanges that still run may not keep.
  bool make_room(std::size_t bytes, Clock::time_point now) {
    const std::size_t needed = bytes + documents_.kOverheadBytes;
    if (needed > bytes_max_) return false;  // nobody has to go for what does not fit
    while (documents_.bytes() + needed > bytes_max_) {
      auto* oldest = documents_.oldest();
      if (oldest == nullptr || now - oldest->used <= kYoung) return false;
      documents_.erase(std::string(oldest->id));
    }
    return true;
  }

  const std::size_t bytes_max_;
  std::mutex mutex_;
  detail::Recent<Copy> documents_;
};

/// Documents that live in this process alone (placement "instance"), and leave it when the placement changes.
class Memory {
 public:
  Memory(std::size_t bytes_max, std::chrono::seconds idle) : bytes_max_(bytes_max), idle_(idle) {}

  /// Null: there is none.
  Document find(const std::string& id, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto* entry = documents_.find(id);
    if (entry == nullptr) return nullptr;
    if (now - entry->used > idle_) {
      documents_.erase(id);
      return nullptr;
    }
    documents_.touch(*entry, now);
    return entry->value.document;
  }
  /// An exchange made `mine` of `base`; what others made of it meanwhile stays. The exchange may have begun
  /// before the session left, and nothing be here any more: then what it changed is kept for the next one.
  /// False: it is larger than all there may be, and nothing is changed.
  bool change(const std::string& id, const Document& base, const json::object& mine, std::size_t bytes,
              Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (bytes + documents_.kOverheadBytes > bytes_max_) return false;
    auto* entry = documents_.find(id);
    Kept kept = entry == nullptr ? Kept{.document = base, .base = base} : entry->value;
    const bool alone = *kept.document == *base;
    kept.document =
        std::make_shared<const json::object>(alone ? mine : combined(*base, mine, *kept.document));
    kept.gone.reset();
    documents_.put(id, std::move(kept), bytes, now);
    drop_old(now);
    return true;
  }
  void forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    documents_.erase(id);
  }

  /// What the gateway does not have yet: the changes that made `document` of `base`.
  struct Leaving {
    Document base, document;
  };
  /// The placement is another one now, where the session is at `version`. Nothing: the gateway has all, and
  /// it is forgotten here after a while: exchanges that were sent here before may still come.
  std::optional<Leaving> leaving(const std::string& id, Version version, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto* entry = documents_.find(id);
    if (entry == nullptr) return std::nullopt;
    Kept& kept = entry->value;
    if (version == 0) return Leaving{std::make_shared<const json::object>(), kept.document};
    if (kept.sent != nullptr && version > kept.sent_at) kept.base = std::exchange(kept.sent, nullptr);
    if (*kept.base != *kept.document) return Leaving{kept.base, kept.document};
    if (!kept.gone) kept.gone = now;
    if (now - *kept.gone >= kGoneStays) documents_.erase(id);
    return std::nullopt;
  }
  /// `document` is being sent to the gateway, by an exchange that was given `version`; a later version shows
  /// that it arrived.
  void send(const std::string& id, Version version, Document document) {
    const std::lock_guard lock(mutex_);
    if (auto* entry = documents_.find(id)) {
      entry->value.sent = std::move(document);
      entry->value.sent_at = version;
    }
  }

 private:
  struct Kept {
    Document document;
    Document base;  // which the gateway needs nothing of any more
    Document sent;  // what was sent to it last; null: nothing, or it has arrived
    Version sent_at = 0;
    std::optional<Clock::time_point> gone;  // when nothing was left to send
  };
  static constexpr std::chrono::seconds kGoneStays{60};

  void drop_old(Clock::time_point now) {
    for (auto* oldest = documents_.oldest(); oldest != nullptr; oldest = documents_.oldest()) {
      if (documents_.bytes() <= bytes_max_ && now - oldest->used <= idle_) return;
      documents_.erase(std::string(oldest->id));
    }
  }

  const std::size_t bytes_max_;
  const std::chrono::seconds idle_;
  std::mutex mutex_;
  detail::Recent<Kept> documents_;
};

}  // namespace stateway::adapter
