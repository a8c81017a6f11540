// What a simulated client asked for, and what came back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shopper.h"

namespace stateway::sim {

// One request, with what was known when it was sent.
struct Shopper::Order {
  Kind kind = Kind::read;
  std::string id;
  std::string owner;
  std::string cookie;
  unsigned renewals = 0;
  unsigned logins = 0;      // answered before
  std::size_t written = 0;  // items acknowledged before
  bool ended = false;       // the session's end was acknowledged before
};

struct Shopper::Answer {
  int status = 0;
  std::string owner, set_cookie, number, problem;
  bool perhaps_patched = false;
  bool keep_alive = false;
  bool whole = false;
  bool durable_at_first = false;  // what the order wrote, when the answer's first octet came
  std::string body;
};

/// The value that "s=VALUE; …" sets.
inline std::optional<std::string> cookie_in(std::string_view set) {
  if (!set.starts_with("s=")) return std::nullopt;
  return std::string(set.substr(2, set.find(';') - 2));
}

}  // namespace stateway::sim
