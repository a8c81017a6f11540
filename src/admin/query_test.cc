#include "admin/query.h"

#include <gtest/gtest.h>

namespace stateway::admin {
namespace {

TEST(Query, IsReadAsFormsAreWritten) {
  const struct {
    const char *query, *parameters;
  } cases[] = {
      {"", ""},
      {"?", ""},
      {"?a=1", "a:1;"},
      {"?a=1&b=2", "a:1;b:2;"},
      {"?&a=1&&b=2&", "a:1;b:2;"},
      {"?a", "a:;"},
      {"?a=", "a:;"},
      {"?=x", ":x;"},
      {"?a=b=c", "a:b=c;"},
      {"?a=x%40y.z%2B+%3d", "a:x@y.z+ =;"},
      {"?%61=%c3%a4", "a:\xc3\xa4;"},
      {"?a=?", "a:?;"},
      {"?a=%", nullptr},
      {"?a=%4", nullptr},
      {"?a=%4g", nullptr},
      {"?%zz=1", nullptr},
      {"?a=1&a=2", nullptr},
      {"?a=1&%61=2", nullptr},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_query(c.query);
    ASSERT_EQ(parsed.has_value(), c.parameters != nullptr) << c.query;
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, Code::invalid_argument);
      continue;
    }
    std::string text;
    for (const Parameter& p : *parsed) text += p.name + ":" + p.value + ";";
    EXPECT_EQ(text, c.parameters) << c.query;
  }
}

}  // namespace
}  // namespace stateway::admin
