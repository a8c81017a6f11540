// Sizes of written JSON, known without writing it. Inside of this module.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/raw.h"

namespace stateway::json {

struct Extent {
  std::size_t bytes = 0;  // of to_ascii
  int height = 0;         // arrays and objects inside each other: 0 for a scalar
};

Extent measure(const bj::value& value);
/// Of a name or a string, with its quotes.
std::size_t measure_string(std::string_view s);

}  // namespace stateway::json
