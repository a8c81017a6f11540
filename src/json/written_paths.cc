#include "json/written_paths.h"

#include <algorithm>
#include <string_view>

#include "json/operation.h"
#include "json/pointer.h"

namespace stateway::json {
namespace {

void collect_merge(const bj::object& patch, std::string& pointer, std::vector<WrittenPath>& out) {
  const std::size_t length = pointer.size();
  for (const auto& member : patch) {
    pointer += '/';
    pointer += escape_token(view(member.key()));
    const bj::object* nested = member.value().if_object();
    if (nested != nullptr && !nested->empty())
      collect_merge(*nested, pointer, out);
    else
      out.push_back({pointer, false});
    pointer.resize(length);
  }
}

// Calls `visit` with each well-formed step.
template <class Visit>
void for_each_step(const bj::array& patch, Visit visit) {
  std::size_t number = 0;
  for (const bj::value& step : patch)
    if (const Result<Operation> operation = read_operation(step, number++)) visit(*operation);
}

bool appends(std::string_view pointer) { return !pointer.empty() && last_token(pointer) == "-"; }

// In an object `-` is a name like any other.
bool holds_names(const bj::value& root, std::string_view pointer) {
  const bj::value* container = find(root, parent_of(pointer));
  return container != nullptr && container->is_object();
}

bool passes_number(std::string_view pointer, const bj::value& base) {
  const bj::value* at = &base;
  Tokens tokens(pointer);
  for (auto token = tokens.next(); token && at != nullptr; token = tokens.next()) {
    if (at->is_array() && array_index(*token)) return true;
    at = child(*at, *token);
  }
  return false;
}

bool has_number(std::string_view pointer) {
  Tokens tokens(pointer);
  for (auto token = tokens.next(); token; token = tokens.next())
    if (array_index(*token)) return true;
  return false;
}

}  // namespace

std::vector<WrittenPath> written_paths(const Document& patch) {
  std::vector<WrittenPath> out;
  if (patch.is_object()) {
    std::string pointer;
    collect_merge(raw(patch).get_object(), pointer, out);
  } else if (patch.is_array()) {
    for_each_step(raw(patch).get_array(), [&out](const Operation& o) {
      if (o.verb == Verb::test) return;
      if (o.verb == Verb::move) out.push_back({std::string(o.from), false});
      const bool can_append = o.verb == Verb::add || o.verb == Verb::move || o.verb == Verb::copy;
      out.push_back({std::string(o.path), can_append && appends(o.path)});
    });
  }
  return out;
}

bool overlaps(const Document& patch, const Document& base, const Document& latest) {
  return std::ranges::any_of(written_paths(patch), [&](const WrittenPath& path) {
    if (path.appends && !holds_names(raw(base), path.pointer) && !holds_names(raw(latest), path.pointer))
      return false;
    return !same(find(raw(base), path.pointer), find(raw(latest), path.pointer));
  });
}

bool names_array_element_by_number(const Document& patch, const Document& base) {
  if (!patch.is_array()) return false;
  std::vector<std::string_view> carried;  // where base's values, arrays among them, were moved or copied to
  bool found = false;
  const auto names = [&](std::string_view pointer) {
    return passes_number(pointer, raw(base)) || std::ranges::any_of(carried, [&](std::string_view to) {
             return is_inside(pointer, to) && has_number(pointer.substr(to.size()));
           });
  };
  for_each_step(raw(patch).get_array(), [&](const Operation& o) {
    found = found || names(o.path) || names(o.from);
    if (o.verb == Verb::move || o.verb == Verb::copy) carried.push_back(o.path);
  });
  return found;
}

}  // namespace stateway::json
