#include "route/affinity.h"

#include <gtest/gtest.h>

namespace stateway::route {
namespace {

TEST(Affinity, ReadsWhatItWrites) {
  for (const char* text :
       {"client_ip", "header:X-Tenant", "path:1", "path:100", "query:user", "query:a[b]"}) {
    const auto affinity = parse_affinity(text);
    ASSERT_TRUE(affinity) << text << ": " << affinity.error().context;
    EXPECT_EQ(to_string(*affinity), text);
  }
  EXPECT_EQ(parse_affinity("path:2")->segment, 2u);
  EXPECT_EQ(parse_affinity("header:X-Tenant")->name, "X-Tenant");
}

TEST(Affinity, SaysWhatIsWrong) {
  const struct {
    const char *text, *why;
  } table[] = {
      {"", "write \"header:NAME\", \"path:N\", \"query:NAME\" or \"client_ip\""},
      {"cookie:a", "write \"header:NAME\", \"path:N\", \"query:NAME\" or \"client_ip\""},
      {"client_ip:1", "write \"header:NAME\", \"path:N\", \"query:NAME\" or \"client_ip\""},
      {"header:", "header: needs the name of a field, such as \"header:X-Tenant\""},
      {"header:a b", "the name of a field holds letters, digits and - only"},
      {"header:stateway-Session-Id", "Stateway-* fields of clients count for nothing"},
      {"path:", "path: needs the number of a segment, 1 to 100: the first of /shop/cart is shop"},
      {"path:0", "path: needs the number of a segment, 1 to 100: the first of /shop/cart is shop"},
      {"path:101", "path: needs the number of a segment, 1 to 100: the first of /shop/cart is shop"},
      {"path:x", "path: needs the number of a segment, 1 to 100: the first of /shop/cart is shop"},
      {"query:", "query: needs the name of a parameter, such as \"query:user\""},
      {"query:a=b", "the name of a parameter is written without &, =, #, %, + and blanks"},
  };
  for (const auto& row : table) {
    const auto affinity = parse_affinity(row.text);
    ASSERT_FALSE(affinity) << row.text;
    EXPECT_EQ(affinity.error().context, row.why) << row.text;
  }
}

}  // namespace
}  // namespace stateway::route
