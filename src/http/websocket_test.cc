#include "http/websocket.h"

#include <gtest/gtest.h>

#include <vector>

namespace stateway::http {
namespace {

using List = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// The handshake of RFC 6455 with one field replaced (or, without a value, left out) and others added.
RequestHead request(std::string_view name = "", const char* value = nullptr, const List& more = {}) {
  RequestHead head;
  head.method = Method::get;
  for (const auto& [n, v] : List{{"Connection", "keep-alive, Upgrade"},
                                 {"Upgrade", "websocket"},
                                 {"Sec-WebSocket-Key", kKey},
                                 {"Sec-WebSocket-Version", "13"}}) {
    if (n != name)
      head.fields.add(n, v);
    else if (value != nullptr)
      head.fields.add(n, value);
  }
  for (const auto& [n, v] : more) head.fields.add(n, v);
  return head;
}

TEST(WebSocket, Requests) {
  EXPECT_TRUE(is_websocket_upgrade(request()));
  EXPECT_TRUE(is_websocket_upgrade(request("Upgrade", "WebSocket")));
  EXPECT_TRUE(is_websocket_upgrade(request("", nullptr, {{"Content-Length", "0"}})));

  for (const std::string_view name : {"Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"})
    EXPECT_FALSE(is_websocket_upgrade(request(name))) << name;
  EXPECT_FALSE(is_websocket_upgrade(request("Connection", "close")));
  EXPECT_FALSE(is_websocket_upgrade(request("Upgrade", "h2c, websocket")));
  EXPECT_FALSE(is_websocket_upgrade(request("Sec-WebSocket-Version", "8")));
  for (const char* key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
                          "dGhlIHNhbXBsZSBub25-ZQ==", "dGhlIHNhbXBsZSBub25jZWE="})
    EXPECT_FALSE(is_websocket_upgrade(request("Sec-WebSocket-Key", key))) << key;
  for (const List& more : {List{{"Upgrade", "websocket"}}, List{{"Sec-WebSocket-Key", kKey}},
                           List{{"Content-Length", "5"}}, List{{"Transfer-Encoding", "chunked"}}})
    EXPECT_FALSE(is_websocket_upgrade(request("", nullptr, more))) << more[0].first;

  RequestHead post = request();
  post.method = Method::post;
  EXPECT_FALSE(is_websocket_upgrade(post));
  RequestHead old = request();
  old.minor = 0;
  EXPECT_FALSE(is_websocket_upgrade(old));
}

TEST(WebSocket, Responses) {
  EXPECT_EQ(websocket_accept(kKey), kAccept);
  const std::tuple<int, List, bool> table[] = {
      {101, {{"Connection", "Upgrade"}, {"Upgrade", "WebSocket"}, {"Sec-WebSocket-Accept", kAccept}}, true},
      {200, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", kAccept}}, false},
      {101, {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", kAccept}}, false},
      {101, {{"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kAccept}}, false},
      {101, {{"Connection", "Upgrade"}, {"Upgrade", "h2c"}, {"Sec-WebSocket-Accept", kAccept}}, false},
      {101, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}, false},
      {101, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", kKey}}, false},
  };
  for (const auto& [status, fields, expected] : table) {
    ResponseHead head;
    head.status = status;
    for (const auto& [name, value] : fields) head.fields.add(name, value);
    EXPECT_EQ(accepts_websocket(head, kKey), expected);
  }
}

}  // namespace
}  // namespace stateway::http
