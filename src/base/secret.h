// A string that never prints and is wiped when it goes: passwords, tokens, cookie secrets.
#pragma once

#include <string>
#include <string_view>

namespace stateway {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&&) = default;
  Secret& operator=(Secret&&) = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  /// The value itself. Named so that a reader of a log line or a response sees what leaves.
  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  /// Not in constant time: for comparing configurations, never for checking what a peer sent.
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace stateway
