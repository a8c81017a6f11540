// What a patch writes, and whether somebody else wrote there meanwhile.
#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace stateway::json {

struct WrittenPath {
  std::string pointer;   // RFC 6901
  bool appends = false;  // its last token is `-`: behind an array's end
};

/// The paths `patch` writes, in its order. Merge patch: every member that is no object, nulls included, and
/// empty objects. JSON Patch: the path of add, remove, replace, copy and move, and where move takes from;
/// test writes nothing. `patch` is an object, or an array that check_json_patch accepts.
std::vector<WrittenPath> written_paths(const Document& patch);

/// Has a path that `patch` writes another value in `latest` than in `base`? Nothing there is a value, too;
/// what is appended to an array overlaps with nothing. A change above or below the path counts only by the
/// value at the path.
bool overlaps(const Document& patch, const Document& base, const Document& latest);

/// Does a step of `patch` name, in its path or where it takes from, an element of one of `base`'s arrays by
/// number? In another version the number may mean another element. Arrays that the patch moves or copies are
/// still `base`'s.
bool names_array_element_by_number(const Document& patch, const Document& base);

}  // namespace stateway::json
