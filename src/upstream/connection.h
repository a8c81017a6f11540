// A connection to an instance: in use by one exchange, or idle in a pool.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/secret.h"
#include "io/stream.h"
#include "wire/reader.h"

namespace stateway::upstream {

class Pool;

/// Belongs to one loop.
class Connection final : private io::Stream::HangupListener {
 public:
  /// `token`: what the instance expects as Stateway-Token, or nullptr.
  Connection(std::unique_ptr<io::Stream> stream, http::HeadLimits limits, std::uint64_t generation,
             std::shared_ptr<const Secret> token = nullptr)
      : stream_(std::move(stream)),
        reader_(*stream_, Side::upstream, limits),
        generation_(generation),
        token_(std::move(token)) {}
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  io::Stream& stream() { return *stream_; }
  wire::Reader& reader() { return reader_; }
  /// It carried an exchange before: if it breaks before a response, the instance may just have closed it for
  /// being idle, which says nothing about the instance.
  bool reused() const { return reused_; }
  /// Of the instance, when it was opened.
  std::uint64_t generation() const { return generation_; }
  const Secret* token() const { return token_.get(); }

 private:
  friend class Pool;
  void on_hangup() override;

  std::unique_ptr<io::Stream> stream_;
  wire::Reader reader_;
  std::uint64_t generation_;
  std::shared_ptr<const Secret> token_;
  bool reused_ = false;
  Pool* pool_ = nullptr;  // while idle
  TimePoint expires_{};   // while idle
};

}  // namespace stateway::upstream
