// Sizes and order of an object's members. Inside of this module.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/write.h"

namespace stateway::json {

/// Bytes a member adds to an object besides its value: name, colon and, if it is not the only one, a comma.
inline std::size_t member_overhead(std::string_view name, std::size_t other_members) {
  return measure_string(name) + 1 + (other_members > 0 ? 1 : 0);
}

/// Keeps the order of the others, which costs the square of the size when many go: large objects give it up.
inline void erase_member(bj::object& object, bj::object::iterator member) {
  constexpr std::size_t kOrderedMax = 1024;
  if (object.size() <= kOrderedMax)
    object.stable_erase(member);
  else
    object.erase(member);
}

}  // namespace stateway::json
