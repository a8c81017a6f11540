#include "http/h1_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace stateway::http {
namespace {

using std::literals::operator""s;

constexpr std::string_view kSimple = "GET /a?b HTTP/1.1\r\nHost: x\r\nAccept:\t*/* \r\nEmpty:\r\n\r\n";

TEST(RequestHeadParser, Splits) {
  RequestHead head;
  const std::string input = std::string(kSimple) + "body";
  const auto consumed = parse_request_head(input, {}, head);
  ASSERT_TRUE(consumed);
  EXPECT_EQ(*consumed, kSimple.size());
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.method_text, "GET");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.minor, 1);
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields.value_of(FieldId::host), "x");
  EXPECT_EQ(head.fields.value_of(FieldId::accept), "*/*");
  EXPECT_EQ(head.fields.find("empty")->value, "");
}

TEST(RequestHeadParser, Accepts) {
  for (const std::string& input : {
           "GET / HTTP/1.0\r\n\r\n"s,
           "\r\nGET / HTTP/1.1\r\n\r\n"s,
           "\r\n\r\nGET / HTTP/1.1\r\n\r\n"s,
           "M!#$%&'*+-.^_`|~9 * HTTP/1.1\r\n\r\n"s,
           "GET http://h/?\"<>{}|\\^` HTTP/1.1\r\n\r\n"s,
           "GET / HTTP/1.1\r\nA: b\tc\xc3\xa4\xff\r\n\r\n"s,
           "GET / HTTP/1.1\r\nA: \t \r\n\r\n"s,
           "GET / HTTP/1.1\r\nA:::\r\n\r\n"s,
       }) {
    RequestHead head;
    const auto consumed = parse_request_head(input, {}, head);
    ASSERT_TRUE(consumed) << input << " " << consumed.error().context;
    EXPECT_EQ(*consumed, input.size());
    EXPECT_EQ(find_head_end(input, 0), input.size()) << input;
  }
}

TEST(RequestHeadParser, Refuses) {
  const std::pair<std::string, Code> table[] = {
      {"GET /\r\n\r\n", Code::bad_request_line},
      {"GET  / HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET /  HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET / HTTP/1.1 \r\n\r\n", Code::bad_request_line},
      {" GET / HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET\t/ HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET /\tHTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET / x HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"G(T / HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET /\xc3\xa4 HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET /\x7f HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"GET /\0 HTTP/1.1\r\n\r\n"s, Code::bad_request_line},
      {"GET / HTTP/1.1\n\n", Code::bad_request_line},
      {"GET / HTTP/1.1\r\r\n\r\n", Code::bad_request_line},
      {"GET / http/1.1\r\n\r\n", Code::bad_request_line},
      {"GET / HTTP/1.10\r\n\r\n", Code::bad_request_line},
      {"GET / HTTP/11\r\n\r\n", Code::bad_request_line},
      {"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"\nGET / HTTP/1.1\r\n\r\n", Code::bad_request_line},
      {"\x16\x03\x01\x02", Code::bad_request_line},
      {"GET / HTTP/1.2\r\n\r\n", Code::version_unsupported},
      {"GET / HTTP/0.9\r\n\r\n", Code::version_unsupported},
      {"PRI * HTTP/2.0\r\n\r\n", Code::version_unsupported},
      {"GET / HTTP/1.1\r\nA: b\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n"s, Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: 12345678\x7f\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\n A: b\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA : b\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA\t: b\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\n: b\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA(b: c\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA\xc3\xa4: c\r\n\r\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\r\n\n", Code::bad_field},
      {"GET / HTTP/1.1\r\nA: b\r\n\r\r\n", Code::bad_field},
  };
  for (const auto& [input, code] : table) {
    RequestHead head;
    const auto consumed = parse_request_head(input, {}, head);
    ASSERT_FALSE(consumed) << input;
    EXPECT_EQ(consumed.error().code, code) << input;
    EXPECT_EQ(consumed.error().side, Side::client);
  }
}

TEST(RequestHeadParser, EveryPrefixIsIncomplete) {
  const std::string input = "\r\n" + std::string(kSimple);
  for (std::size_t n = 0; n < input.size(); ++n) {
    RequestHead head;
    const auto consumed = parse_request_head(std::string_view(input).substr(0, n), {}, head);
    ASSERT_FALSE(consumed) << n;
    EXPECT_EQ(consumed.error().code, Code::incomplete) << n << consumed.error().context;
    EXPECT_TRUE(check_partial_request_head(std::string_view(input).substr(0, n), {})) << n;
    EXPECT_EQ(find_head_end(std::string_view(input).substr(0, n), n == 0 ? 0 : n - 1), kNoHeadEnd) << n;
  }
  EXPECT_EQ(find_head_end(input, input.size() - 1), input.size());
}

TEST(RequestHeadParser, ControlsAreFoundAtEveryOffset) {
  for (std::size_t at = 0; at < 24; ++at)
    for (const char c : {'\0', '\x1f', '\x7f', '\n', '\r'}) {
      std::string value(24, 'v');
      value[at] = c;
      RequestHead head;
      const auto consumed = parse_request_head("GET / HTTP/1.1\r\nA:" + value + "\r\n\r\n", {}, head);
      ASSERT_FALSE(consumed) << at << " " << int{c};
      EXPECT_EQ(consumed.error().code, Code::bad_field);
    }
}

TEST(RequestHeadParser, Limits) {
  const HeadLimits limits{.head_bytes_max = 64, .target_bytes_max = 8, .fields_max = 2};
  const std::pair<std::string, Code> table[] = {
      {"GET /2345678", Code::incomplete},  // its method may still be followed by the ninth octet or a blank
      {"GET /23456789", Code::target_too_long},
      {"GET /23456789 HTTP/1.1\r\n\r\n", Code::target_too_long},
      {"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", Code::head_too_large},
      {"GET / HTTP/1.1\r\nA: " + std::string(44, 'x'), Code::incomplete},
      {"GET / HTTP/1.1\r\nA: " + std::string(46, 'x'), Code::head_too_large},
      {"GET / HTTP/1.1\r\nA: " + std::string(42, 'x') + "\r\n\r\n", Code::head_too_large},
      {std::string(65, 'X'), Code::head_too_large},
  };
  for (const auto& [input, code] : table) {
    RequestHead head;
    const auto consumed = parse_request_head(input, limits, head);
    ASSERT_FALSE(consumed) << input;
    EXPECT_EQ(consumed.error().code, code) << input;
  }
  RequestHead head;
  EXPECT_EQ(parse_request_head("GET /2345678 HTTP/1.1\r\n\r\n", HeadLimits{.target_bytes_max = 8}, head),
            25u);
  const std::string full = "GET / HTTP/1.1\r\nA: " + std::string(41, 'x') + "\r\n\r\n";
  EXPECT_EQ(full.size(), 64u);
  EXPECT_EQ(parse_request_head(full, limits, head), 64u);
}

TEST(PartialHead, RefusesGarbageAndSize) {
  const HeadLimits limits{.head_bytes_max = 32, .target_bytes_max = 8, .fields_max = 2};
  const std::pair<std::string, Code> table[] = {
      {"GET / HTTP/1.0\n", Code::bad_request_line},
      {"\x16\x03\x01", Code::bad_request_line},
      {"\r\n\r\n\r\n", Code::bad_request_line},
      {"GET /23456789", Code::target_too_long},
      {"GET / HTTP/1.1\r\nA: 567890123456789", Code::head_too_large},
  };
  for (const auto& [input, code] : table) {
    const auto checked = check_partial_request_head(input, limits);
    ASSERT_FALSE(checked) << input;
    EXPECT_EQ(checked.error().code, code) << input;
  }
  EXPECT_TRUE(check_partial_response_head("HTTP/1.1 200", limits));
  EXPECT_EQ(check_partial_response_head("\r\n", limits).error().code, Code::bad_status_line);
  EXPECT_EQ(check_partial_response_head("HTTP/1.1 200 OK\r\nA: 67890123456789", limits).error().code,
            Code::head_too_large);
}

TEST(HeadEnd, IsFoundHoweverTheBytesArrive) {
  const std::pair<std::string, std::size_t> table[] = {
      {"a\r\n\r\nb", 5},         {"a\n\nb", 3},
      {"a\n\r\nb", 4},           {"\r\na\r\n\r\nb", 7},
      {"\r\n\r\na\r\n\r\nb", 9}, {"a\r\nb\r\n", kNoHeadEnd},
      {"a\r\n\rb", kNoHeadEnd},  {"\r\n\r\n", kNoHeadEnd},
  };
  for (const auto& [input, end] : table) {
    EXPECT_EQ(find_head_end(input, 0), end) << input;
    std::size_t found = kNoHeadEnd;
    for (std::size_t n = 1; n <= input.size() && found == kNoHeadEnd; ++n)
      found = find_head_end(std::string_view(input).substr(0, n), n - 1);
    EXPECT_EQ(found, end) << input;
  }
}

TEST(ResponseHeadParser, Splits) {
  const std::tuple<std::string, int, std::string_view, int> table[] = {
      {"HTTP/1.1 200 OK\r\nServer: s\r\n\r\n", 200, "OK", 1},
      {"HTTP/1.0 404 Not\tFound \xc3\xa4\r\n\r\n", 404, "Not\tFound \xc3\xa4", 0},
      {"HTTP/1.1 101 \r\n\r\n", 101, "", 1},
      {"HTTP/1.1 204\r\n\r\n", 204, "", 1},
      {"HTTP/1.1 999 x\r\n\r\n", 999, "x", 1},
  };
  for (const auto& [input, status, reason, minor] : table) {
    ResponseHead head;
    EXPECT_EQ(parse_response_head(input, {}, head), input.size());
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.reason, reason);
    EXPECT_EQ(head.minor, minor);
    for (std::size_t n = 0; n < input.size(); ++n) {
      const auto consumed = parse_response_head(std::string_view(input).substr(0, n), {}, head);
      ASSERT_FALSE(consumed);
      EXPECT_EQ(consumed.error().code, Code::incomplete) << input << n;
    }
  }
}

TEST(ResponseHeadParser, Refuses) {
  const std::pair<std::string, Code> table[] = {
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1  200 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 20 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 099 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 2000 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 \n\n", Code::bad_status_line},
      {"HTTP/1.1 200OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 200 OK\n\n", Code::bad_status_line},
      {"HTTP/1.1 200 O\rK\r\n\r\n", Code::bad_status_line},
      {"HTTP/1.1 200 O\0K\r\n\r\n"s, Code::bad_status_line},
      {"ICY 200 OK\r\n\r\n", Code::bad_status_line},
      {"HTTP/2.0 200 OK\r\n\r\n", Code::version_unsupported},
      {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", Code::bad_field},
      {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Code::bad_field},
  };
  for (const auto& [input, code] : table) {
    ResponseHead head;
    const auto consumed = parse_response_head(input, {}, head);
    ASSERT_FALSE(consumed) << input;
    EXPECT_EQ(consumed.error().code, code) << input;
    EXPECT_EQ(consumed.error().side, Side::upstream);
  }
}

TEST(FieldLineParser, LineByLine) {
  const auto field = parse_field_line("A: b\r\nC: d\r\n", Side::upstream);
  ASSERT_TRUE(field);
  EXPECT_EQ(field->name, "A");
  EXPECT_EQ(field->value, "b");
  EXPECT_EQ(field->consumed, 6u);
  EXPECT_EQ(parse_field_line("\r\n", Side::client)->consumed, 2u);
  EXPECT_EQ(parse_field_line("\r", Side::client).error().code, Code::incomplete);
  EXPECT_EQ(parse_field_line("A: b\r", Side::client).error().code, Code::incomplete);
  EXPECT_EQ(parse_field_line("A b\r\n", Side::client).error().code, Code::bad_field);
}

}  // namespace
}  // namespace stateway::http
