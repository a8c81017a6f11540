#include "json/json_patch.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "json/member.h"
#include "json/operation.h"
#include "json/pointer.h"

namespace stateway::json {
namespace {

/// Where a value is to be put.
struct Place {
  bj::value* container = nullptr;  // null: the value becomes the document
  std::string name;                // in an object
  std::size_t index = 0;           // in an array
  bj::value* existing = nullptr;   // in an object, or the document: what it replaces
  int depth = 0;                   // containers around it
};

/// Applies one step to an Edit.
class Step {
 public:
  Step(Edit& edit, const Operation& operation, std::size_t number)
      : edit_(edit), root_(raw(edit.target())), operation_(operation), number_(number) {}

  Result<void> apply() {
    switch (operation_.verb) {
      case Verb::add:
        return add(*operation_.value, measure(*operation_.value));
      case Verb::remove:
        return remove();
      case Verb::replace:
        return replace();
      case Verb::move:
        return move();
      case Verb::copy:
        return copy();
      case Verb::test:
        return test();
    }
    std::unreachable();
  }

 private:
  std::unexpected<Error> missing(std::string_view what) const { return bad_step(number_, what); }

  Result<Place> place() {
    Place out;
    out.depth = depth_of(operation_.path);
    if (operation_.path.empty()) {
      out.existing = &root_;
      return out;
    }
    out.container = find(root_, parent_of(operation_.path));
    if (out.container == nullptr) return missing("nothing that could hold its path");
    const std::string_view token = last_token(operation_.path);
    if (out.container->is_object()) {
      std::string scratch;
      out.name = unescape_token(token, scratch);
      out.existing = out.container->get_object().if_contains(out.name);
      return out;
    }
    if (!out.container->is_array()) return missing("nothing that could hold its path");
    const std::size_t size = out.container->get_array().size();
    const std::optional<std::size_t> index = token == "-" ? size : array_index(token);
    if (!index || *index > size) return missing("an array index that does not exist");
    out.index = *index;
    return out;
  }

  // Checks everything first, so that a copy that is too large is never made.
  Result<void> add(const bj::value& value, Extent extent) {
    Result<Place> at = place();
    if (!at) return pass_on(std::move(at));
    if (auto ok = admit(*at, extent, 0); !ok) return ok;
    put(*at, bj::value(value, root_.storage()));
    return {};
  }

  // `taken`: bytes the step has removed elsewhere.
  Result<void> admit(const Place& at, Extent extent, std::size_t taken) {
    if (auto ok = edit_.admit_depth(at.depth, extent.height); !ok) return ok;
    std::size_t added = extent.bytes;
    std::size_t removed = taken;
    if (at.existing != nullptr)
      removed += measure(*at.existing).bytes;
    else if (at.container->is_object())
      added += member_overhead(at.name, at.container->get_object().size());
    else
      added += at.container->get_array().empty() ? 0 : 1;
    if (auto ok = edit_.admit(added, removed); !ok) return ok;
    edit_.resize(added, removed);
    return {};
  }

  static void put(const Place& at, bj::value&& value) {
    if (at.existing != nullptr) {
      *at.existing = std::move(value);
    } else if (at.container->is_object()) {
      at.container->get_object().emplace(at.name, std::move(value));
    } else {
      bj::array& array = at.container->get_array();
      array.insert(array.begin() + at.index, std::move(value));
    }
  }

  /// A value on its way from one place to another.
  struct Taken {
    bj::value value;  // in the document's memory
    Extent extent;
    std::size_t bytes = 0;  // the document lost, with the name and the comma
  };

  // Takes out what `path` names.
  Result<Taken> take(std::string_view path) {
    if (path.empty()) return missing("takes the document away");
    bj::value* container = find(root_, parent_of(path));
    const bj::value* value = container == nullptr ? nullptr : child(*container, last_token(path));
    if (value == nullptr) return missing("nothing at its path");
    Taken out{bj::value(root_.storage()), measure(*value)};
    if (container->is_object()) {
      bj::object& object = container->get_object();
      std::string scratch;
      const std::string_view name = unescape_token(last_token(path), scratch);
      const auto member = object.find(name);
      out.bytes = out.extent.bytes + member_overhead(name, object.size() - 1);
      out.value = std::move(member->value());
      erase_member(object, member);
    } else {
      bj::array& array = container->get_array();
      const auto element = array.begin() + (value - array.data());
      out.bytes = out.extent.bytes + (array.size() > 1 ? 1 : 0);
      out.value = std::move(*element);
      array.erase(element);
    }
    return out;
  }

  Result<void> remove() {
    const Result<Taken> taken = take(operation_.path);
    if (!taken) return std::unexpected(taken.error());
    edit_.resize(0, taken->bytes);
    return {};
  }

  Result<void> replace() {
    bj::value* old = find(root_, operation_.path);
    if (old == nullptr) return missing("nothing at its path");
    const Extent extent = measure(*operation_.value);
    if (auto ok = edit_.admit_depth(depth_of(operation_.path), extent.height); !ok) return ok;
    const std::size_t removed = measure(*old).bytes;
    if (auto ok = edit_.admit(extent.bytes, removed); !ok) return ok;
    edit_.resize(extent.bytes, removed);
    *old = *operation_.value;
    return {};
  }

  Result<void> move() {
    if (operation_.from == operation_.path)
      return find(root_, operation_.path) != nullptr ? Result<void>() : missing("nothing at its path");
    Result<Taken> taken = take(operation_.from);
    if (!taken) return pass_on(std::move(taken));
    if (auto ok = edit_.spend(taken->extent.bytes); !ok) return ok;
    Result<Place> at = place();
    if (!at) return pass_on(std::move(at));
    if (auto ok = admit(*at, taken->extent, taken->bytes); !ok) return ok;
    put(*at, std::move(taken->value));
    return {};
  }

  Result<void> copy() {
    const bj::value* source = find(root_, operation_.from);
    if (source == nullptr) return missing("nothing to copy");
    const Extent extent = measure(*source);
    if (auto ok = edit_.spend(extent.bytes); !ok) return ok;
    return add(*source, extent);
  }

  Result<void> test() {
    const bj::value* value = find(root_, operation_.path);
    if (value == nullptr || !same(value, operation_.value))
      return fail(Code::patch_test_failed, Side::upstream, fmt::format("step {}: the test failed", number_));
    return {};
  }

  Edit& edit_;
  bj::value& root_;
  const Operation& operation_;
  std::size_t number_;
};

std::unexpected<Error> no_array() {
  return fail(Code::bad_patch, Side::upstream, "a JSON Patch is an array");
}

}  // namespace

Result<void> check_json_patch(const Document& patch) {
  if (!patch.is_array()) return no_array();
  std::size_t number = 0;
  for (const bj::value& step : raw(patch).get_array())
    if (Result<Operation> operation = read_operation(step, number++); !operation)
      return pass_on(std::move(operation));
  return {};
}

Result<void> apply_json_patch(Edit& edit, const Document& patch) {
  if (!patch.is_array()) return no_array();
  std::size_t number = 0;
  for (const bj::value& step : raw(patch).get_array()) {
    if (auto ok = edit.begin_operation(); !ok) return ok;
    const Result<Operation> operation = read_operation(step, number);
    if (!operation) return std::unexpected(operation.error());
    if (auto ok = Step(edit, *operation, number).apply(); !ok) return ok;
    ++number;
  }
  return {};
}

}  // namespace stateway::json
