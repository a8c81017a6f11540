// The adapter's patches, applied by the gateway's own rules: they make the document that the service left.
#include <gtest/gtest.h>

#include "base/random.h"
#include "session/rebase.h"
#include "stateway/parse.h"
#include "stateway/patch.h"

namespace stateway::adapter {
namespace {

constexpr std::string_view kNames[] = {"a", "b", "", "a/b", "~0", "é", "\"", "0"};

json::value random_value(Random& random, int depth);

json::object random_object(Random& random, int depth) {
  json::object out;
  for (std::uint64_t n = random.below(4); n > 0; --n)
    out[kNames[random.below(std::size(kNames))]] = random_value(random, depth + 1);
  return out;
}

json::value random_value(Random& random, int depth) {
  switch (random.below(depth < 4 ? 9 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return random.below(2) == 0;
    case 2:
      return static_cast<std::int64_t>(random.below(5)) - 2;
    case 3:
      return 0.1 * static_cast<double>(random.below(1'000'000'007));
    case 4:
      return "é\"\\\n\x7f \xf0\x9f\x9b\x92";
    case 5:
      return random.below(2) == 0 ? json::value("x") : json::value(std::uint64_t{1} << 63);
    case 6: {
      json::array out;
      for (std::uint64_t n = random.below(3); n > 0; --n) out.push_back(random_value(random, depth + 1));
      return out;
    }
    default:
      return random_object(random, depth);
  }
}

// As the gateway commits it; empty when it refuses.
std::string applied(std::string_view patch, std::string_view document) {
  session::PatchSet patches;
  const auto added = patches.add_header_values(std::span(&patch, 1));
  EXPECT_TRUE(added) << patch;
  const session::Seen seen{1, document};
  const session::Latest latest{1, document};
  auto rebased = session::rebase(patches, seen, latest, session::Overlap::refuse, {.bytes_max = 1 << 20});
  EXPECT_TRUE(rebased) << patch << " on " << document;
  return rebased ? rebased->document : "";
}

TEST(CppPatches, MakeTheDocumentThatTheServiceLeft) {
  SeededRandom random(1);
  unsigned merges = 0, steps = 0;
  for (int round = 0; round < 20'000; ++round) {
    const json::object before = random_object(random, 0);
    json::object after = before;
    for (const auto& [name, value] : random_object(random, 0)) after[name] = value;
    if (random.below(2) == 0 && !after.empty()) after.erase(after.begin());
    const auto patch = difference(before, after);
    ASSERT_EQ(patch.has_value(), before != after);
    if (!patch) continue;
    ++(patch->is_steps ? steps : merges);
    const std::string made = applied(patch->text, ascii(json::serialize(before)));
    const auto parsed = parse(made);
    ASSERT_TRUE(parsed) << made;
    ASSERT_EQ(*parsed, json::value(after)) << patch->text << " on " << before;
  }
  EXPECT_GT(merges, 1'000u);
  EXPECT_GT(steps, 1'000u);
}

}  // namespace
}  // namespace stateway::adapter
