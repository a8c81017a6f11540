// TOML text → Value tree. The library (toml++) stays inside toml.cc.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/value.h"

namespace stateway::config {

struct SyntaxError {
  Place place;
  std::string message;
};

/// Reads TOML 1.0. The result is the document's root table. The first error ends the reading. Never throws;
/// any thread.
std::expected<Value, SyntaxError> read_toml(std::string_view text);

}  // namespace stateway::config
