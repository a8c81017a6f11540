#include "config/scalar.h"

#include <gtest/gtest.h>

namespace stateway::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, ReadsWholeNumbersWithAUnit) {
  struct Row {
    const char* text;
    std::int64_t ms;
  };
  for (const Row& row : std::initializer_list<Row>{{"0", 0},
                                                   {"0s", 0},
                                                   {"250ms", 250},
                                                   {"30s", 30'000},
                                                   {"5m", 300'000},
                                                   {"24h", 86'400'000},
                                                   {"7d", 604'800'000},
                                                   {"007s", 7'000},
                                                   {"36600d", 36'600ll * 86'400'000}})
    EXPECT_EQ(parse_duration(row.text), milliseconds(row.ms)) << row.text;
  for (const char* bad : {"", "s", "30", "30 s", " 30s", "30S", "1.5s", "-1s", "+1s", "1h30m", "1w", "30sec",
                          "36601d", "18446744073709551615ms", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Size, ReadsBytesAndBinaryMultiples) {
  struct Row {
    const char* text;
    std::uint64_t bytes;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"0", 0}, {"512", 512}, {"64KiB", 65'536}, {"1MiB", 1'048'576}, {"2GiB", 2'147'483'648}})
    EXPECT_EQ(parse_size(row.text), row.bytes) << row.text;
  for (const char* bad : {"", "KiB", "64KB", "64K", "64kib", "64 KiB", "1.5MiB", "-1", "1B", "4294967297GiB",
                          "18446744073709551616"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Environment, ReplacesNamesOnce) {
  const auto lookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "1";
    if (name == "B_2") return "${A}";
    return std::nullopt;
  };
  struct Row {
    const char* text;
    const char* expanded;
  };
  for (const Row& row : std::initializer_list<Row>{{"", ""},
                                                   {"plain", "plain"},
                                                   {"${A}", "1"},
                                                   {"x${A}y${A}", "x1y1"},
                                                   {"${B_2}", "${A}"},
                                                   {"$A $ {A} $${A}", "$A $ {A} $1"}})
    EXPECT_EQ(expand_environment(row.text, lookup).value(), row.expanded) << row.text;
  for (const Row& row :
       std::initializer_list<Row>{{"${C}", "${C} is not set in the environment"},
                                  {"${A", "the } of ${NAME} is missing"},
                                  {"${}", "${}: a variable's name holds letters, digits and _ only"},
                                  {"${A:-1}", "${A:-1}: a variable's name holds letters, digits and _ only"},
                                  {"${2A}", "${2A}: a variable's name holds letters, digits and _ only"}})
    EXPECT_EQ(expand_environment(row.text, lookup).error(), row.expanded) << row.text;
}

TEST(Closest, FindsTypingErrorsOnly) {
  const std::string_view names[] = {"threads", "idle", "absolute", "path", "instances", "host"};
  struct Row {
    const char* name;
    const char* found;
  };
  for (const Row& row : std::initializer_list<Row>{{"thread", "threads"},
                                                   {"htreads", "threads"},
                                                   {"absolut", "absolute"},
                                                   {"instance", "instances"},
                                                   {"idel", "idle"},
                                                   {"pth", "path"},
                                                   {"hots", "host"}})
    EXPECT_EQ(closest(row.name, names), row.found) << row.name;
  for (const char* other : {"", "x", "timeout", "cookie", "ab"}) EXPECT_FALSE(closest(other, names)) << other;
  EXPECT_FALSE(closest(std::string(100'000, 'a'), names));
}

}  // namespace
}  // namespace stateway::config
