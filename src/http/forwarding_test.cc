#include "http/forwarding.h"

#include <gtest/gtest.h>

namespace stateway::http {
namespace {

using List = std::vector<std::pair<std::string_view, std::string_view>>;

Fields fields_of(const List& list) {
  Fields fields;
  for (const auto& [name, value] : list) fields.add(name, value);
  return fields;
}

std::string kept_names(const List& list) {
  const Fields fields = fields_of(list);
  const HopByHop hop_by_hop(fields);
  std::string out;
  for (const Field& f : fields)
    if (!hop_by_hop.drops(f)) out.append(f.name).append(" ");
  return out;
}

TEST(ForwardedFor, NamesTheHopsWithoutTheirPorts) {
  const struct {
    List fields;
    std::vector<std::string_view> hops;
  } table[] = {
      {{}, {}},
      {{{"X-Forwarded-For", "192.0.2.1"}}, {"192.0.2.1"}},
      {{{"X-Forwarded-For", "192.0.2.1, 192.0.2.2:80"}, {"X-Forwarded-For", "2001:db8::1"}},
       {"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
      {{{"X-Forwarded-For", "[2001:db8::1]:80, [::2]"}}, {"2001:db8::1", "::2"}},
      {{{"Forwarded", "for=192.0.2.1;proto=http, host=x;For=\"[2001:db8::1]:80\""}},
       {"192.0.2.1", "2001:db8::1"}},
      {{{"Forwarded", "proto=http, for=unknown, for=_hidden"}}, {"", "unknown", "_hidden"}},
      {{{"Forwarded", "for=192.0.2.9"}, {"X-Forwarded-For", "192.0.2.1"}}, {"192.0.2.1"}},
      {{{"X-Forwarded-For", "["}}, {""}},
  };
  for (const auto& row : table) EXPECT_EQ(forwarded_for(fields_of(row.fields)), row.hops);
}

TEST(HopByHopTest, DropsWhatBelongsToTheConnection) {
  EXPECT_EQ(kept_names({{"Host", "x"},
                        {"Connection", "close"},
                        {"Keep-Alive", "timeout=5"},
                        {"Proxy-Connection", "keep-alive"},
                        {"Proxy-Authorization", "Basic eA=="},
                        {"Proxy-Authenticate", "Basic"},
                        {"TE", "trailers"},
                        {"Transfer-Encoding", "chunked"},
                        {"Upgrade", "h2c"},
                        {"HTTP2-Settings", "AAMAAABk"},
                        {"Trailer", "A"},
                        {"Accept", "*/*"}}),
            "Host Trailer Accept ");
}

TEST(HopByHopTest, DropsWhatConnectionNames) {
  EXPECT_EQ(kept_names({{"X-A", "1"},
                        {"Connection", "x-a , X-B"},
                        {"x-b", "2"},
                        {"Connection", "x-c"},
                        {"X-C", "3"},
                        {"X-D", "4"},
                        {"Close", "5"},
                        {"Connection", "close"}}),
            "X-D Close ");
}

TEST(HopByHopTest, ConnectionCannotRemoveWhatTheGatewayReliesUpon) {
  EXPECT_EQ(
      kept_names(
          {{"Connection",
            "Stateway-Session, stateway_token, Host, Content-Length, Cookie, Set-Cookie, Authorization, "
            "X-Forwarded-For, X-Forwarded-Port, Via, X-Request-Id, Origin, Idempotency-Key"},
           {"Stateway-Session", "{}"},
           {"stateway_token", "t"},
           {"Host", "x"},
           {"Content-Length", "0"},
           {"Cookie", "a=b"},
           {"Set-Cookie", "a=b"},
           {"Authorization", "x"},
           {"X-Forwarded-For", "x"},
           {"X-Forwarded-Port", "1"},
           {"Via", "x"},
           {"X-Request-Id", "x"},
           {"Origin", "x"},
           {"Idempotency-Key", "x"}}),
      "Stateway-Session stateway_token Host Content-Length Cookie Set-Cookie Authorization X-Forwarded-For "
      "X-Forwarded-Port Via X-Request-Id Origin Idempotency-Key ");
}

TEST(Forwarding, Trailers) {
  for (const std::string_view name : {"Server-Timing", "Digest", "X-Own"})
    EXPECT_TRUE(may_forward_trailer(name));
  for (const std::string_view name :
       {"Transfer-Encoding", "content-length", "Host", "Authorization", "Set-Cookie",
        "Stateway-Session-Patch", "stateway_x", "X-Forwarded-Port"})
    EXPECT_FALSE(may_forward_trailer(name)) << name;
}

TEST(Forwarding, Via) {
  std::string out;
  append_via(out, fields_of({}), 0);
  append_via(out, fields_of({{"Via", "1.0 fred"}, {"Via", "1.1 p.example (x)"}}), 1);
  EXPECT_EQ(out, "Via: 1.0 stateway\r\nVia: 1.0 fred, 1.1 p.example (x), 1.1 stateway\r\n");
}

TEST(Forwarding, FromAnyPeer) {
  const Fields spoofed = fields_of({{"Forwarded", "for=10.0.0.1"},
                                    {"X-Forwarded-For", "10.0.0.1"},
                                    {"X-Forwarded-Host", "evil"},
                                    {"X-Forwarded-Proto", "https"}});
  const std::tuple<Hop, std::string_view> table[] = {
      {{"192.0.2.1", "a.example", "http"},
       "Forwarded: for=192.0.2.1;host=a.example;proto=http\r\nX-Forwarded-For: 192.0.2.1\r\n"
       "X-Forwarded-Host: a.example\r\nX-Forwarded-Proto: http\r\n"},
      {{"2001:db8::1", "[::1]:8080", "https"},
       "Forwarded: for=\"[2001:db8::1]\";host=\"[::1]:8080\";proto=https\r\nX-Forwarded-For: 2001:db8::1\r\n"
       "X-Forwarded-Host: [::1]:8080\r\nX-Forwarded-Proto: https\r\n"},
      {{"", "", "http"}, "Forwarded: for=unknown;proto=http\r\nX-Forwarded-Proto: http\r\n"},
      {{"192.0.2.1", "a\"b\\c", "http"},
       "Forwarded: for=192.0.2.1;host=\"a\\\"b\\\\c\";proto=http\r\nX-Forwarded-For: 192.0.2.1\r\n"
       "X-Forwarded-Host: a\"b\\c\r\nX-Forwarded-Proto: http\r\n"},
  };
  for (const auto& [hop, expected] : table) {
    std::string out;
    append_forwarded(out, spoofed, hop);
    EXPECT_EQ(out, expected);
  }
}

TEST(Forwarding, FromATrustedProxy) {
  std::string out;
  append_forwarded(out,
                   fields_of({{"Forwarded", "for=192.0.2.9"},
                              {"X-Forwarded-For", "192.0.2.9, 192.0.2.8"},
                              {"X-Forwarded-For", "192.0.2.7"},
                              {"X-Forwarded-Host", "shop.example"},
                              {"X-Forwarded-Proto", "https"}}),
                   {.client_address = "10.0.0.1", .host = "inner", .proto = "http", .trusted = true});
  EXPECT_EQ(out,
            "Forwarded: for=192.0.2.9, for=10.0.0.1;host=inner;proto=http\r\n"
            "X-Forwarded-For: 192.0.2.9, 192.0.2.8, 192.0.2.7, 10.0.0.1\r\n"
            "X-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https\r\n");
  out.clear();
  append_forwarded(out, fields_of({{"X-Forwarded-For", "192.0.2.9"}}),
                   {.client_address = "", .host = "inner", .proto = "http", .trusted = true});
  EXPECT_EQ(out,
            "Forwarded: for=unknown;host=inner;proto=http\r\nX-Forwarded-For: 192.0.2.9, unknown\r\n"
            "X-Forwarded-Host: inner\r\nX-Forwarded-Proto: http\r\n");
}

TEST(Forwarding, Rewritten) {
  EXPECT_TRUE(is_rewritten(FieldId::via, true));
  EXPECT_TRUE(is_rewritten(FieldId::x_forwarded_for, true));
  EXPECT_TRUE(is_rewritten(FieldId::x_forwarded_other, false));
  EXPECT_FALSE(is_rewritten(FieldId::x_forwarded_other, true));
  EXPECT_FALSE(is_rewritten(FieldId::host, false));
}

TEST(Forwarding, RequestIds) {
  for (const std::string& good : {std::string("a"), std::string("A-z.0_9"), std::string(128, 'x')})
    EXPECT_TRUE(is_valid_request_id(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\xc3"), std::string("a/b")})
    EXPECT_FALSE(is_valid_request_id(bad)) << bad;
}

}  // namespace
}  // namespace stateway::http
