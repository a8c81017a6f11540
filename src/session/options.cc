#include "session/options.h"

#include <algorithm>

namespace stateway::session {

std::string_view placement_name(Placement placement) {
  switch (placement) {
    case Placement::client:
      return "client";
    case Placement::store:
      return "store";
    case Placement::instance:
      return "instance";
    case Placement::hybrid:
      return "hybrid";
  }
  return "store";
}

std::chrono::milliseconds longest_absolute(std::span<const SessionOptions> kinds) {
  std::chrono::milliseconds longest{0};
  for (const SessionOptions& kind : kinds) longest = std::max(longest, kind.absolute);
  return longest;
}

}  // namespace stateway::session
