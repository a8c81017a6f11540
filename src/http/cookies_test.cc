#include "http/cookies.h"

#include <gtest/gtest.h>

#include <vector>

namespace stateway::http {
namespace {

Fields cookies(std::initializer_list<std::string_view> values) {
  Fields fields;
  fields.add("Host", "x");
  for (const auto v : values) fields.add("Cookie", v);
  fields.add("Accept", "shop=no");
  return fields;
}

std::string joined(const CookieValues& values) {
  std::string out;
  for (const auto v : values) out.append(v).append("|");
  return out;
}

TEST(Cookies, FindAll) {
  const std::tuple<Fields, std::string_view> table[] = {
      {cookies({}), ""},
      {cookies({"shop=1"}), "1|"},
      {cookies({"a=b; shop=1; shop=2", "shop=3;shop=4; shop=5"}), "1|2|3|4|"},
      {cookies({";; ;shop = 1\t;"}), "1|"},
      {cookies({"Shop=1; shopx=2; xshop=3; shop"}), ""},
      {cookies({"shop="}), "|"},
      {cookies({"shop=a=b"}), "a=b|"},
      {cookies({"shop=\"q\""}), "\"q\"|"},
      {cookies({"", "shop=1"}), "1|"},
  };
  for (const auto& [fields, expected] : table) EXPECT_EQ(joined(find_all(fields, "shop")), expected);
}

TEST(Cookies, Without) {
  const std::string_view names[] = {"shop", "__Host-shop"};
  const std::tuple<Fields, std::string_view> table[] = {
      {cookies({}), ""},
      {cookies({"shop=1"}), ""},
      {cookies({"shop=1;__Host-shop=2", "shop =3"}), ""},
      {cookies({"a=b; shop=1; c=d", "e=f"}), "a=b; c=d; e=f"},
      {cookies({"a=b;c"}), "a=b; c"},
      {cookies({"SHOP=1"}), "SHOP=1"},
  };
  for (const auto& [fields, expected] : table) EXPECT_EQ(without(fields, names), expected);
}

TEST(Cookies, Render) {
  EXPECT_EQ(set_cookie({.name = "shop", .value = "a.b"}), "shop=a.b; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(set_cookie({.name = "__Host-shop",
                        .value = "",
                        .path = "/",
                        .secure = true,
                        .http_only = false,
                        .same_site = SameSite::strict,
                        .max_age = 0}),
            "__Host-shop=; Path=/; Max-Age=0; Secure; SameSite=Strict");
  EXPECT_DEATH(set_cookie({.name = "a", .value = "b; Domain=x"}), "is_cookie_value");
  for (const std::string_view bad : {"a b", "a\"", "a,b", "a;b", "a\\b", "a\r", "\x7f", "\xc3"})
    EXPECT_FALSE(is_cookie_value(bad)) << bad;
}

}  // namespace
}  // namespace stateway::http
