#include "json/merge_patch.h"

#include "json/member.h"

namespace stateway::json {
namespace {

/// One merge: how much of the document it adds and removes.
class Merge {
 public:
  explicit Merge(const Edit& edit) : edit_(edit) {}

  std::size_t added() const { return added_; }
  std::size_t removed() const { return removed_; }

  /// `depth`: containers around `target`.
  Result<void> merge(bj::value& target, const bj::value& patch, int depth) {
    if (!patch.is_object()) return replace(target, patch, depth);
    if (!target.is_object()) {
      if (auto ok = edit_.admit_depth(depth, 1); !ok) return ok;
      removed_ += measure(target).bytes;
      added_ += 2;
      target.emplace_object();
    }
    bj::object& object = target.get_object();
    for (const auto& member : patch.get_object()) {
      if (member.value().is_null()) {
        remove(object, member.key());
        continue;
      }
      bj::value* old = object.if_contains(member.key());
      // A new member starts as null: merging into it counts its null as removed.
      if (old == nullptr) {
        added_ += member_overhead(view(member.key()), object.size()) + kNullBytes;
        old = &object.emplace(member.key(), nullptr).first->value();
      }
      if (auto ok = merge(*old, member.value(), depth + 1); !ok) return ok;
    }
    return {};
  }

 private:
  static constexpr std::size_t kNullBytes = 4;

  Result<void> replace(bj::value& target, const bj::value& patch, int depth) {
    const Extent extent = measure(patch);
    if (auto ok = edit_.admit_depth(depth, extent.height); !ok) return ok;
    removed_ += measure(target).bytes;
    added_ += extent.bytes;
    target = patch;
    return {};
  }

  void remove(bj::object& object, bj::string_view name) {
    const auto member = object.find(name);
    if (member == object.end()) return;
    removed_ += member_overhead(view(name), object.size() - 1) + measure(member->value()).bytes;
    erase_member(object, member);
  }

  const Edit& edit_;
  std::size_t added_ = 0;
  std::size_t removed_ = 0;
};

}  // namespace

Result<void> apply_merge_patch(Edit& edit, const Document& patch) {
  if (auto ok = edit.begin_operation(); !ok) return ok;
  Merge merge(edit);
  if (auto ok = merge.merge(raw(edit.target()), raw(patch), 0); !ok) return ok;
  if (auto ok = edit.admit(merge.added(), merge.removed()); !ok) return ok;
  edit.resize(merge.added(), merge.removed());
  return {};
}

}  // namespace stateway::json
