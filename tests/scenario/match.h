// Whether what came is what a script expects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "script.h"

namespace stateway::scenario {

struct Match {
  std::size_t octets = 0;   // at the front of the input are what was expected …
  bool needs_more = false;  // … or nobody can know yet …
  std::string why;          // … or they are not
};

/// `next`: the piece behind, which ends an `any`; null when there is none.
Match match(const Piece& piece, const Piece* next, std::string_view input);

}  // namespace stateway::scenario
