// Stateway-Session-Url: where a service reads and patches the session of the exchange it is serving.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "io/loop.h"
#include "session/slot.h"
#include "wire/server.h"

namespace stateway::gateway {

/// The URLs that are valid now, of one loop's exchanges. Not thread-safe.
class SessionUrls {
 public:
  /// `base` is "http://host:port/<this loop's number>/".
  SessionUrls(std::string base, Random& random) : base_(std::move(base)), random_(random) {}

  /// Valid from `open` to its destruction, so one attempt's URL means nothing to the next.
  class Grant {
   public:
    Grant() = default;
    Grant(SessionUrls& urls, std::string token) : urls_(&urls), token_(std::move(token)) {}
    Grant(Grant&& other) noexcept
        : urls_(std::exchange(other.urls_, nullptr)), token_(std::move(other.token_)) {}
    Grant& operator=(Grant&& other) noexcept {
      std::swap(urls_, other.urls_);
      std::swap(token_, other.token_);
      return *this;
    }
    ~Grant() {
      if (urls_ != nullptr) urls_->open_.erase(token_);
    }
    std::string url() const { return urls_->base_ + token_; }

   private:
    SessionUrls* urls_ = nullptr;
    std::string token_;
  };
  /// A URL with 128 random bits. `slot` must outlive the grant.
  Grant open(session::Slot& slot);

  /// Answers a GET or PATCH of the URL with this token. On the loop's thread.
  wire::Response answer(std::string_view token, std::string_view method, std::string_view body);

 private:
  std::string base_;
  Random& random_;
  std::unordered_map<std::string, session::Slot*> open_;
};

/// Serves the URLs of all loops: a request goes to the loop that its path names, and back.
class SessionUrlHandler final : public wire::Handler {
 public:
  struct Target {
    io::Loop* loop;
    SessionUrls* urls;
  };
  SessionUrlHandler(io::Loop& home, std::vector<Target> targets)
      : home_(home), targets_(std::move(targets)) {}
  io::Task<wire::Response> handle(const wire::Request& request) override;

 private:
  io::Loop& home_;
  std::vector<Target> targets_;  // by loop number
};

}  // namespace stateway::gateway
