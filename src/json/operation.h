// One step of a JSON Patch, as read from its object. Inside of this module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/raw.h"

namespace stateway::json {

enum class Verb : std::uint8_t { add, remove, replace, move, copy, test };

/// Views into the patch, which must outlive it.
struct Operation {
  Verb verb = Verb::test;
  std::string_view path;
  std::string_view from;             // move, copy
  const bj::value* value = nullptr;  // add, replace, test
};

/// Errors: bad_patch, naming the step by `number`: a member missing or of the wrong type, an unknown `op`, a
/// malformed pointer, a move into itself. RFC 6902 §4.
Result<Operation> read_operation(const bj::value& step, std::size_t number);

/// bad_patch in step `number`.
std::unexpected<Error> bad_step(std::size_t number, std::string_view why);

}  // namespace stateway::json
