// The Date field.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace stateway::http {

/// Renders IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 §5.6.7) and keeps the last one, since a
/// busy loop asks thousands of times a second. One per loop; not thread-safe.
class DateText {
 public:
  /// The view is valid until the next call. Times before 1970 or beyond year 9999 are clamped.
  std::string_view at(WallMillis now);

 private:
  std::int64_t second_ = -1;
  std::array<char, 29> text_{};
};

}  // namespace stateway::http
