// The first words on a connection: who we are, which database, and who the server is.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "store/redis/facts.h"
#include "store/redis/reply.h"

namespace stateway::store::redis {

class Greeting {
 public:
  /// All must outlive it.
  Greeting(const std::string& user, const Secret& password, unsigned database);

  /// What to send, and how many replies it has.
  std::string_view commands() const { return commands_.reveal(); }
  std::size_t size() const { return size_; }
  /// `replies`: all, or, when the server hung up early, those there were: it may have said why. Errors:
  /// invalid_argument, store_unavailable, each with a sentence for the operator.
  Result<ServerFacts> facts(std::span<const Reply> replies) const;

 private:
  Secret commands_;  // they hold the password
  std::size_t size_ = 0;
  bool authenticates_;
  bool selects_;
};

}  // namespace stateway::store::redis
