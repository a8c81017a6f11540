// What must hold for all documents and patches, tried on random ones; a failure names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "json/json_patch.h"
#include "json/merge_patch.h"
#include "json/pointer.h"
#include "json/raw.h"

namespace stateway::json {
namespace {

/// Draws documents in which names and values collide often.
class Drawing {
 public:
  explicit Drawing(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }

  bj::value scalar() {
    static const bj::value kScalars[] = {nullptr,
                                         true,
                                         false,
                                         0,
                                         -7,
                                         1.0,
                                         0.25,
                                         1e300,
                                         ~std::uint64_t{0},
                                         "",
                                         "x",
                                         "a/b~c",
                                         "\xc3\xa9\"\\\n",
                                         "\xf0\x9f\x9b\x92"};
    return kScalars[below(std::size(kScalars))];
  }
  std::string name() {
    static const std::string_view kNames[] = {"a", "b", "c", "0", "1", "-", "", "x/y", "~", "~1", "\xc3\xa9"};
    return std::string(kNames[below(std::size(kNames))]);
  }
  bj::value value(int depth) {
    if (depth == 0 || below(3) == 0) return scalar();
    if (below(2) == 0) return object(depth);
    bj::array out;
    for (std::size_t n = below(4); n > 0; --n) out.push_back(value(depth - 1));
    return out;
  }
  bj::object object(int depth) {
    bj::object out;
    for (std::size_t n = below(5); n > 0; --n) out[name()] = value(depth - 1);
    return out;
  }

 private:
  SeededRandom random_;
};

Document document(bj::value value) {
  Document out;
  raw(out) = std::move(value);
  return out;
}

/// The steps that turn `a` into `b`, found the plainest way.
void difference(const bj::value& a, const bj::value& b, const std::string& at, bj::array& steps) {
  if (a.is_object() && b.is_object()) {
    for (const auto& m : a.get_object())
      if (!b.get_object().contains(m.key()))
        steps.push_back({{"op", "remove"}, {"path", at + "/" + escape_token(view(m.key()))}});
    for (const auto& m : b.get_object()) {
      const std::string path = at + "/" + escape_token(view(m.key()));
      if (const bj::value* old = a.get_object().if_contains(m.key()))
        difference(*old, m.value(), path, steps);
      else
        steps.push_back({{"op", "add"}, {"path", path}, {"value", m.value()}});
    }
  } else if (a.is_array() && b.is_array()) {
    const std::size_t kept = std::min(a.get_array().size(), b.get_array().size());
    for (std::size_t i = a.get_array().size(); i > kept; --i)
      steps.push_back({{"op", "remove"}, {"path", at + "/" + std::to_string(i - 1)}});
    for (std::size_t i = 0; i < kept; ++i)
      difference(a.get_array()[i], b.get_array()[i], at + "/" + std::to_string(i), steps);
    for (std::size_t i = kept; i < b.get_array().size(); ++i)
      steps.push_back({{"op", "add"}, {"path", at + "/-"}, {"value", b.get_array()[i]}});
  } else if (!same(&a, &b)) {
    steps.push_back({{"op", "replace"}, {"path", at}, {"value", b}});
  }
}

/// RFC 7396 §2, word by word.
bj::value merge_reference(bj::value target, const bj::value& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = bj::object();
  for (const auto& m : patch.get_object()) {
    if (m.value().is_null())
      target.get_object().erase(m.key());
    else
      target.get_object()[m.key()] = merge_reference(target.get_object()[m.key()], m.value());
  }
  return target;
}

TEST(Property, WhatIsWrittenReadsBackEqual) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Drawing draw(seed);
    const Document d = document(draw.value(4));
    const std::string text = to_ascii(d);
    ASSERT_TRUE(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) << text;
    const Result<Document> again = parse(text);
    ASSERT_TRUE(again && *again == d) << "seed " << seed << " " << text;
    ASSERT_EQ(to_ascii(*again), text) << "seed " << seed;
    ASSERT_EQ(Edit(d, {}).bytes(), text.size()) << "seed " << seed << " " << text;
  }
}

TEST(Property, MergePatchDoesWhatTheRfcSays) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Drawing draw(seed);
    const bj::value target = draw.value(4);
    const bj::value patch = draw.value(4);
    Edit edit(document(target), {});
    ASSERT_TRUE(apply_merge_patch(edit, document(patch)));
    ASSERT_TRUE(edit.document() == document(merge_reference(target, patch))) << "seed " << seed;
    ASSERT_EQ(edit.bytes(), to_ascii(edit.document()).size()) << "seed " << seed;
  }
}

TEST(Property, DisjointMergePatchesCommute) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Drawing draw(seed);
    // Each patch writes members that no other one does, at the root and inside one shared object.
    std::vector<Document> patches;
    for (int i = 0; i < 4; ++i) {
      const std::string own = "p" + std::to_string(i);
      bj::object shared;
      shared[own] = draw.value(2);
      bj::object patch;
      patch["shared"] = shared;
      patch[own] = draw.value(3);
      patches.push_back(document(patch));
    }
    bj::object base = draw.object(3);
    base["shared"] = bj::object{{"p0", draw.value(2)}, {"kept", 1}};
    base["p1"] = draw.value(2);

    std::vector<std::size_t> order(patches.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::optional<Document> first;
    do {
      Edit edit(document(base), {});
      for (const std::size_t i : order) ASSERT_TRUE(apply_merge_patch(edit, patches[i]));
      if (!first) first = edit.document();
      ASSERT_TRUE(edit.document() == *first) << "seed " << seed;
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(Property, TheDifferenceTurnsOneDocumentIntoTheOther) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Drawing draw(seed);
    const bj::value a = draw.value(4);
    const bj::value b = draw.value(4);
    bj::array steps;
    difference(a, b, "", steps);
    Edit edit(document(a), {});
    const auto ok = apply_json_patch(edit, document(steps));
    ASSERT_TRUE(ok) << "seed " << seed << ": " << ok.error().context;
    ASSERT_TRUE(edit.document() == document(b)) << "seed " << seed;
    ASSERT_EQ(edit.bytes(), to_ascii(edit.document()).size()) << "seed " << seed;
  }
}

// Moving there and back, and copying and removing the copy, leave nothing changed.
TEST(Property, InverseStepsCancel) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Drawing draw(seed);
    bj::object object = draw.object(4);
    object["source"] = draw.value(3);
    const Document before = document(object);
    const Document steps = parse(R"([{"op":"copy","from":"/source","path":"/copy"},
        {"op":"move","from":"/source","path":"/moved"}, {"op":"move","from":"/moved","path":"/source"},
        {"op":"add","path":"/list","value":[1,2]}, {"op":"move","from":"/copy","path":"/list/1"},
        {"op":"remove","path":"/list/1"}, {"op":"test","path":"/list","value":[1,2]},
        {"op":"remove","path":"/list"}])")
                               .value();
    Edit edit(before, {});
    ASSERT_TRUE(apply_json_patch(edit, steps)) << "seed " << seed;
    ASSERT_TRUE(edit.document() == before) << "seed " << seed;
    ASSERT_EQ(edit.bytes(), to_ascii(before).size()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace stateway::json
