// The parameters behind the '?' of a target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stateway::admin {

struct Parameter {
  std::string name;
  std::string value;
};

/// Reads "?a=1&b=2" (or nothing) as forms are written: %XX are octets, '+' is a blank, empty parts do not
/// count. Errors, Side::client: invalid_argument for a malformed %XX and for a name that comes twice. Pure.
Result<std::vector<Parameter>> parse_query(std::string_view query);

}  // namespace stateway::admin
