#include "http/message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace stateway::http {
namespace {

TEST(Method, IsCaseSensitive) {
  const std::pair<std::string_view, Method> table[] = {
      {"GET", Method::get},         {"HEAD", Method::head},   {"POST", Method::post},
      {"PUT", Method::put},         {"PATCH", Method::patch}, {"DELETE", Method::delete_},
      {"OPTIONS", Method::options}, {"TRACE", Method::trace}, {"CONNECT", Method::connect},
      {"get", Method::other},       {"GETS", Method::other},  {"", Method::other},
      {"PURGE", Method::other},
  };
  for (const auto& [text, method] : table) EXPECT_EQ(method_of(text), method) << text;
}

TEST(Method, SafeAndIdempotent) {
  EXPECT_TRUE(is_safe(Method::get));
  EXPECT_FALSE(is_safe(Method::put));
  EXPECT_TRUE(is_idempotent(Method::put));
  EXPECT_TRUE(is_idempotent(Method::delete_));
  EXPECT_FALSE(is_idempotent(Method::post));
  EXPECT_FALSE(is_idempotent(Method::patch));
  EXPECT_FALSE(is_safe(Method::other));
}

TEST(FieldIds, KnownNamesInEveryCase) {
  const std::pair<std::string_view, FieldId> table[] = {
      {"te", FieldId::te},
      {"Via", FieldId::via},
      {"Host", FieldId::host},
      {"ETag", FieldId::etag},
      {"Trailer", FieldId::trailer},
      {"Transfer-Encoding", FieldId::transfer_encoding},
      {"Content-Length", FieldId::content_length},
      {"content-type", FieldId::content_type},
      {"Connection", FieldId::connection},
      {"Upgrade", FieldId::upgrade},
      {"HTTP2-Settings", FieldId::http2_settings},
      {"X-Request-ID", FieldId::x_request_id},
      {"X-Forwarded-For", FieldId::x_forwarded_for},
      {"X-Forwarded-Host", FieldId::x_forwarded_host},
      {"X-Forwarded-Proto", FieldId::x_forwarded_proto},
      {"X-Forwarded-Port", FieldId::x_forwarded_other},
      {"X_Forwarded_For", FieldId::x_forwarded_other},
      {"X-Forwarded-", FieldId::x_forwarded_other},
      {"Sec-WebSocket-Key", FieldId::sec_websocket_key},
      {"Sec-WebSocket-Extensions", FieldId::sec_websocket_extensions},
      {"Proxy-Authentication-Info", FieldId::proxy_authentication_info},
      {"Cookie", FieldId::cookie},
      {"Set-Cookie", FieldId::set_cookie},
      {"Idempotency-Key", FieldId::idempotency_key},
  };
  for (const auto& [name, id] : table) {
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(to_lower(name)), id) << name;
    std::string upper(name);
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    EXPECT_EQ(field_id(upper), id) << name;
  }
}

TEST(FieldIds, NearMissesAreOther) {
  // The second line holds octets that `| 0x20` alone would fold into '-', '2' and letters.
  for (const std::string_view name :
       {"", "t", "hos", "hosts", "Content_Length", "X-Forwarded", "cookie2", "content\rlength",
        "http\x12-settings", "\x48os\x14", "Transfer-Encodin\x07"})
    EXPECT_EQ(field_id(name), FieldId::other) << name;
}

TEST(FieldIds, StatewayPrefix) {
  for (const std::string_view name : {"Stateway-", "stateway_session", "STATEWAY-Session-Id", "sTaTeWaY_-x"})
    EXPECT_EQ(field_id(name), FieldId::stateway) << name;
  for (const std::string_view name : {"Stateway", "Statewayx", "X-Stateway-Session", "state-way-session"})
    EXPECT_EQ(field_id(name), FieldId::other) << name;
}

TEST(FieldsTest, FindsCountsAndClears) {
  Fields fields;
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.find(FieldId::host), nullptr);
  fields.add("Host", "a");
  fields.add("X-Own", "1");
  fields.add("HOST", "b");
  EXPECT_EQ(fields.count(FieldId::host), 2u);
  EXPECT_EQ(fields.value_of(FieldId::host), "a");
  EXPECT_EQ(fields.find("x-own")->value, "1");
  EXPECT_EQ(fields.find("absent"), nullptr);
  EXPECT_EQ(fields.value_of(FieldId::via), "");
  fields.clear();
  EXPECT_FALSE(fields.has(FieldId::host));
  EXPECT_EQ(fields.size(), 0u);
}

TEST(ListMembers, SkipsEmptyOnes) {
  std::string_view rest = " a,, b\t,c ,", member;
  std::string seen;
  while (next_list_member(rest, member)) seen.append(member).append("|");
  EXPECT_EQ(seen, "a|b|c|");
}

}  // namespace
}  // namespace stateway::http
