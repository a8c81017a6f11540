#include "json/operation.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "json/pointer.h"

namespace stateway::json {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 6> kVerbs{{{"add", Verb::add},
                                                                   {"remove", Verb::remove},
                                                                   {"replace", Verb::replace},
                                                                   {"move", Verb::move},
                                                                   {"copy", Verb::copy},
                                                                   {"test", Verb::test}}};

std::optional<std::string_view> string_member(const bj::object& step, bj::string_view name) {
  const bj::value* value = step.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return view(value->get_string());
}

}  // namespace

std::unexpected<Error> bad_step(std::size_t number, std::string_view why) {
  return fail(Code::bad_patch, Side::upstream, fmt::format("step {}: {}", number, why));
}

Result<Operation> read_operation(const bj::value& step, std::size_t number) {
  if (!step.is_object()) return bad_step(number, "not an object");
  const bj::object& object = step.get_object();
  Operation out;

  const auto op = string_member(object, "op");
  const auto* verb = std::ranges::find(kVerbs, op.value_or(""), &std::pair<std::string_view, Verb>::first);
  if (verb == kVerbs.end()) return bad_step(number, "no known op");
  out.verb = verb->second;

  const auto path = string_member(object, "path");
  if (!path || !is_pointer(*path)) return bad_step(number, "path is no JSON pointer");
  out.path = *path;

  if (out.verb == Verb::move || out.verb == Verb::copy) {
    const auto from = string_member(object, "from");
    if (!from || !is_pointer(*from)) return bad_step(number, "from is no JSON pointer");
    out.from = *from;
    if (out.verb == Verb::move && is_inside(out.path, out.from))
      return bad_step(number, "moves a value into itself");
  } else if (out.verb != Verb::remove) {
    out.value = object.if_contains("value");
    if (out.value == nullptr) return bad_step(number, "no value");
  }
  return out;
}

}  // namespace stateway::json
