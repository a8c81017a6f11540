#include "http/target.h"

#include <gtest/gtest.h>

namespace stateway::http {
namespace {

using Form = Target::Form;

TEST(TargetPath, Normalizes) {
  const std::tuple<std::string_view, std::string_view, bool> table[] = {
      {"/", "/", false},
      {"/a/b", "/a/b", false},
      {"/a//b/", "/a//b/", false},
      {"/.well-known/x", "/.well-known/x", false},
      {"/a/...", "/a/...", false},
      {"/a/..b/.c", "/a/..b/.c", false},
      {"/a.b", "/a.b", false},
      {"/%7Euser", "/~user", false},
      {"/%41%62%2d%2E%5f", "/Ab-._", false},
      {"/caf%c3%a9", "/caf%C3%A9", false},
      {"/caf%C3%A9", "/caf%C3%A9", false},
      {"/a%20b%3f%23", "/a%20b%3F%23", false},
      {"/a/./b", "/a/b", false},
      {"/a/../b", "/b", false},
      {"/a/b/../../c", "/c", false},
      {"/../../a", "/a", false},
      {"/a/.", "/a/", false},
      {"/a/..", "/", false},
      {"/a/b/..", "/a/", false},
      {"/.", "/", false},
      {"/..", "/", false},
      {"/a//../b", "/a/b", false},
      {"//../a", "/a", false},
      {"/a/%2e%2E/b", "/b", false},
      {"/a/.%2e/b", "/b", false},
      {"/a/%2e", "/a/", false},
      {"/a%2f..%2fb", "/a%2F..%2Fb", true},
      {"/a%2Fb", "/a%2Fb", true},
      {"/a%5cb", "/a%5Cb", true},
      {"/a\\b", "/a\\b", true},
      {"/a\\..\\b", "/a\\..\\b", true},
      {"/%252e%252e/a", "/%252e%252e/a", false},
      {"/x/%2525", "/x/%2525", false},
      {"/a|b{c}\"<>^`", "/a|b{c}\"<>^`", false},
  };
  for (const auto& [raw, path, odd_slash] : table) {
    const auto target = parse_target(Method::get, raw);
    ASSERT_TRUE(target) << raw << " " << target.error().context;
    EXPECT_EQ(target->path(), path) << raw;
    EXPECT_EQ(target->odd_slash, odd_slash) << raw;
    EXPECT_EQ(target->query, "");
    const auto again = parse_target(Method::get, path);
    ASSERT_TRUE(again) << path;
    EXPECT_EQ(again->path(), path) << "normalization must be idempotent";
  }
}

TEST(TargetPath, NormalOnesAreNotCopied) {
  for (const std::string_view raw : {"/a/b.c?q", "/caf%C3%A9", "/.well-known/a%20b"}) {
    const auto target = parse_target(Method::get, raw);
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path().data(), raw.data());
  }
}

TEST(TargetPath, SurvivesMoves) {
  auto parsed = parse_target(Method::get, "/a/../b");
  const Target moved = std::move(*parsed);
  EXPECT_EQ(moved.path(), "/b");
}

TEST(TargetForms, Table) {
  const std::tuple<Method, std::string_view, Form, std::string_view, std::string_view, std::string_view>
      table[] = {
          {Method::get, "/a?", Form::origin, "/a", "?", ""},
          {Method::get, "/a?b=/../c%zz?d", Form::origin, "/a", "?b=/../c%zz?d", ""},
          {Method::get, "http://h", Form::absolute, "/", "", "h"},
          {Method::get, "HTTPS://h:1?q", Form::absolute, "/", "?q", "h:1"},
          {Method::get, "http://[::1]:80/a/../b?c", Form::absolute, "/b", "?c", "[::1]:80"},
          {Method::options, "*", Form::asterisk, "*", "", ""},
          {Method::options, "http://h", Form::asterisk, "*", "", "h"},
          {Method::options, "http://h?q", Form::absolute, "/", "?q", "h"},
          {Method::options, "/x", Form::origin, "/x", "", ""},
          {Method::connect, "h:443", Form::authority, "", "", "h:443"},
      };
  for (const auto& [method, text, form, path, query, authority] : table) {
    const auto target = parse_target(method, text);
    ASSERT_TRUE(target) << text << " " << target.error().context;
    EXPECT_EQ(target->form, form) << text;
    EXPECT_EQ(target->path(), path) << text;
    EXPECT_EQ(target->query, query) << text;
    EXPECT_EQ(target->authority, authority) << text;
  }
}

TEST(TargetForms, Refuses) {
  const std::pair<Method, std::string_view> table[] = {
      {Method::get, ""},
      {Method::get, "*"},
      {Method::get, "a"},
      {Method::get, "h:80"},
      {Method::get, "/a#b"},
      {Method::get, "/a?b#c"},
      {Method::get, "/%00"},
      {Method::get, "/a%"},
      {Method::get, "/a%4"},
      {Method::get, "/%zz"},
      {Method::get, "/%2%65"},
      {Method::get, "ftp://h/"},
      {Method::get, "http:///a"},
      {Method::get, "http://"},
      {Method::get, "http://u@h/"},
      {Method::get, "http://h:x"},
      {Method::get, "?a"},
      {Method::get, "http:/h"},
      {Method::connect, "/a"},
      {Method::connect, "h"},
      {Method::connect, "h:"},
      {Method::connect, "http://h:1/"},
      {Method::options, "*a"},
      {Method::get, "http://h\\@x/"},
  };
  for (const auto& [method, text] : table) {
    const auto target = parse_target(method, text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, Code::bad_target) << text;
    EXPECT_EQ(target.error().side, Side::client);
  }
}

}  // namespace
}  // namespace stateway::http
