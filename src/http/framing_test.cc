#include "http/framing.h"

#include <gtest/gtest.h>

#include "http/authority.h"

namespace stateway::http {
namespace {

using Kind = Framing::Kind;
using List = std::vector<std::pair<std::string_view, std::string_view>>;

RequestHead request(int minor, const List& fields) {
  RequestHead head;
  head.minor = minor;
  for (const auto& [name, value] : fields) head.fields.add(name, value);
  return head;
}
ResponseHead response(int status, int minor, const List& fields) {
  ResponseHead head;
  head.status = status;
  head.minor = minor;
  for (const auto& [name, value] : fields) head.fields.add(name, value);
  return head;
}

TEST(Framing, Accepts) {
  const std::tuple<List, Framing, Framing> table[] = {
      {{}, {Kind::none, 0}, {Kind::until_close, 0}},
      {{{"Content-Length", "0"}}, {Kind::length, 0}, {Kind::length, 0}},
      {{{"content-length", "0042"}}, {Kind::length, 42}, {Kind::length, 42}},
      {{{"Content-Length", "9223372036854775807"}},
       {Kind::length, 9223372036854775807u},
       {Kind::length, 9223372036854775807u}},
      {{{"Transfer-Encoding", "ChunkeD"}}, {Kind::chunked, 0}, {Kind::chunked, 0}},
  };
  for (const auto& [fields, req, res] : table) {
    EXPECT_EQ(request_framing(request(1, fields)), req);
    EXPECT_EQ(response_framing(response(200, 1, fields), Method::get), res);
  }
}

TEST(Framing, RefusesInBothDirections) {
  const std::pair<int, List> table[] = {
      {1, {{"Content-Length", "4"}, {"Transfer-Encoding", "chunked"}}},
      {1, {{"Content-Length", "4"}, {"Content-Length", "5"}}},
      {1, {{"Content-Length", "4"}, {"Content-Length", "4"}}},
      {1, {{"Content-Length", "4, 4"}}},
      {1, {{"Content-Length", ""}}},
      {1, {{"Content-Length", "+4"}}},
      {1, {{"Content-Length", "-1"}}},
      {1, {{"Content-Length", "0x4"}}},
      {1, {{"Content-Length", "4 4"}}},
      {1, {{"Content-Length", "9223372036854775808"}}},
      {1, {{"Content-Length", "99999999999999999999"}}},
      {1, {{"Transfer-Encoding", "gzip"}}},
      {1, {{"Transfer-Encoding", "gzip, chunked"}}},
      {1, {{"Transfer-Encoding", "chunked, identity"}}},
      {1, {{"Transfer-Encoding", "chunked,"}}},
      {1, {{"Transfer-Encoding", "chunked;q=1"}}},
      {1, {{"Transfer-Encoding", "\"chunked\""}}},
      {1, {{"Transfer-Encoding", "xchunked"}}},
      {1, {{"Transfer-Encoding", ""}}},
      {1, {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}},
      {1, {{"Transfer-Encoding", "chunked"}, {"transfer-encoding", "identity"}}},
      {0, {{"Transfer-Encoding", "chunked"}}},
  };
  for (const auto& [minor, fields] : table) {
    const auto req = request_framing(request(minor, fields));
    ASSERT_FALSE(req) << fields[0].second;
    EXPECT_EQ(req.error().code, Code::bad_framing);
    EXPECT_EQ(req.error().side, Side::client);
    for (const int status : {200, 204}) {
      const auto res = response_framing(response(status, minor, fields), Method::get);
      ASSERT_FALSE(res) << fields[0].second;
      EXPECT_EQ(res.error().code, Code::bad_framing);
      EXPECT_EQ(res.error().side, Side::upstream);
    }
  }
}

TEST(Framing, ResponsesWithoutBody) {
  const List length = {{"Content-Length", "4"}};
  EXPECT_EQ(response_framing(response(200, 1, length), Method::head), Framing{});
  for (const int status : {100, 101, 103, 204, 304})
    EXPECT_EQ(response_framing(response(status, 1, length), Method::get), Framing{}) << status;
  EXPECT_EQ(response_framing(response(304, 1, {}), Method::get), Framing{});
}

TEST(KeepAlive, Table) {
  const std::tuple<int, List, bool> table[] = {
      {1, {}, true},
      {1, {{"Connection", "close"}}, false},
      {1, {{"Connection", "Foo, CLOSE"}}, false},
      {1, {{"Connection", "foo"}, {"connection", ",close,"}}, false},
      {1, {{"Connection", "closed"}}, true},
      {0, {}, false},
      {0, {{"Connection", "Keep-Alive"}}, true},
      {0, {{"Connection", "keep-alive"}, {"Connection", "close"}}, false},
      {0, {{"Keep-Alive", "timeout=5"}}, false},
  };
  for (const auto& [minor, fields, expected] : table) {
    EXPECT_EQ(keep_alive(request(minor, fields)), expected);
    EXPECT_EQ(keep_alive(response(200, minor, fields)), expected);
  }
}

TEST(Authority, Syntax) {
  for (const std::string_view good : {"a", "a.example:80", "127.0.0.1", "[::1]", "[::1]:8080", "a:", "a_b",
                                      "x%41", "[::ffff:1.2.3.4]:1", "a:65535"})
    EXPECT_TRUE(is_valid_authority(good)) << good;
  for (const std::string_view bad : {"",    ":80",     "a:x",      "a:65536", "a:-1",
                                     "u@a", "a/b",     "a b",      "::1",     "[::1",
                                     "[]",  "[::1]x",  "[::1]:x",  "[1]",     "[fe80::1%25eth0]",
                                     "a%4", "a%zz",    "a,b c",    "a\\b",    "a?b",
                                     "a#b", "a:80:80", "\xc3\xa4", "a<b"})
    EXPECT_FALSE(is_valid_authority(bad)) << bad;
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("a.example:80"), "a.example");
}

TEST(EffectiveHost, Table) {
  EXPECT_EQ(effective_host(request(1, {{"Host", "a:1"}}), ""), "a:1");
  EXPECT_EQ(effective_host(request(1, {{"Host", "a"}}), "b"), "b");
  EXPECT_EQ(effective_host(request(0, {}), ""), "");
  EXPECT_EQ(effective_host(request(0, {}), "b"), "b");
  for (const auto& head :
       {request(1, {}), request(1, {{"Host", ""}}), request(1, {{"Host", "a"}, {"Host", "a"}}),
        request(0, {{"Host", "a"}, {"Host", "b"}}), request(1, {{"Host", "a/b"}}),
        request(1, {{"Host", "a, b"}}), request(0, {{"Host", "u@b"}})}) {
    const auto host = effective_host(head, "b");
    ASSERT_FALSE(host);
    EXPECT_EQ(host.error().code, Code::bad_host);
  }
}

}  // namespace
}  // namespace stateway::http
