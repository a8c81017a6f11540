// The keys in use: seals and opens cookies, and follows the key file when other gateways add to it.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "io/task.h"
#include "io/worker.h"
#include "session/key_set.h"

namespace stateway::session {

/// Thread-safe. The file is read on a thread of its own. Must outlive its tasks; its loops must outlive it.
class KeyRing {
 public:
  /// The file is not read again for an unknown key id sooner than this.
  static constexpr std::chrono::milliseconds kReadEvery{1'000};

  KeyRing(const WallClock& clock, Random& random);

  /// Reads the key file, or makes it, and puts it in use. Blocks; before the first seal or open. Errors:
  /// those of read_or_make_key_file.
  Result<void> use(std::string path);
  bool in_use() const { return keys() != nullptr; }

  /// Seals for the cookie of that name.
  std::string seal(std::string_view cookie_name, std::string_view contents);
  /// The contents of what some gateway of this file sealed for that cookie name; nullopt for all else, and
  /// for what a retired key sealed (KeySet::retired). The views must outlive the task. When the key is
  /// unknown the file is read again first. Before `use` nothing opens. Errors: store_unavailable, when that
  /// fails: then nobody can tell whether the client has a session.
  io::Task<Result<std::optional<std::string>>> open(io::Loop& loop, std::string_view cookie_name,
                                                    std::string_view text,
                                                    std::chrono::milliseconds lifetime);
  /// Reads the file again, unless that has just been done. Errors: store_unavailable; the keys stay.
  io::Task<Result<void>> refresh(io::Loop& loop);

  /// Adds a key to the file, and uses it (key_file.h). Errors: rotate_key_file's; not_found when no file is
  /// in use.
  io::Task<Result<Rotation>> rotate(io::Loop& loop, std::chrono::milliseconds lifetime);

  /// nullptr before `use`.
  std::shared_ptr<const KeySet> keys() const;

 private:
  // Shared with reads that outlive their callers.
  struct State {
    explicit State(const WallClock& c) : clock(c) {}

    const WallClock& clock;
    std::mutex mutex;
    std::string path;
    std::shared_ptr<const KeySet> keys;
    WallMillis read_at = 0;
    bool readable = true;  // the last time

    bool is_fresh();
    Result<void> outcome();
    Result<void> read();
    Result<Rotation> rotate(std::chrono::milliseconds lifetime, Random& random);
  };

  const std::shared_ptr<State> state_;
  Random& random_;
  std::optional<io::Worker> worker_;  // from `use` on
};

}  // namespace stateway::session
