// What the gateway refuses by itself, before or instead of asking a service.
#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;

class Refusals : public Site {
 protected:
  void SetUp() override { start(origin_config()); }

  // Sends octets that are followed by a good request; expects one refusal, the end of the connection, and
  // that the service has seen nothing of what followed.
  void expect_refused(std::string_view octets, int status, std::string_view code) {
    Raw raw = connect();
    raw.send(octets);
    raw.send("GET /o/smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    const Reply reply = raw.reply();
    EXPECT_EQ(reply.status, status) << octets;
    EXPECT_EQ(reply.problem(), code) << octets;
    EXPECT_THAT(reply.body, HasSubstr(fmt::format(R"("status":{})", status)));
    EXPECT_EQ(raw.read_to_end(), "") << octets;
    EXPECT_EQ(get("/o/count").body, "0") << "the service was asked: " << octets;
  }
  static std::string post(std::string_view more, std::string_view body = "") {
    return fmt::format("POST /o/sink HTTP/1.1\r\nHost: h\r\n{}\r\n{}", more, body);
  }
};

TEST_F(Refusals, AmbiguousLengths) {
  for (const char* more : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length:\r\n",
           "Content-Length: 18446744073709551621\r\n",
           "Transfer-Encoding: gzip\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
       })
    expect_refused(post(more), 400, "bad-framing");
  expect_refused("POST /o/sink HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                 "bad-framing");
}

TEST_F(Refusals, MalformedFields) {
  for (const std::string& more : {
           std::string("Content-Length : 5\r\n"),
           std::string("X: a\rb\r\n"),
           std::string("X: a\0b\r\n", 8),
           std::string("X: a\r\n folded\r\n"),
           std::string(" X: a\r\n"),
           std::string("X\r\n"),
           std::string(": a\r\n"),
           std::string("X: a\nTransfer-Encoding: chunked\r\n"),
           std::string("X(: a\r\n"),
           std::string("X: a\x01\r\n"),
       })
    expect_refused(post(more), 400, "bad-field");
}

TEST_F(Refusals, MalformedChunks) {
  // The service may have been asked by then: what counts is that it never gets a whole body, nor what
  // follows.
  for (const char* body :
       {"x\r\n", "5x\r\nhello\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "5\r\nhello!\r\n", "5\nhello\r\n",
        "11111111111111111\r\n", " 5\r\nhello\r\n", "5\r\nhelloX\r\n0\r\n\r\n"}) {
    Raw raw = connect();
    raw.send(post("Transfer-Encoding: chunked\r\n", body));
    raw.send("0\r\n\r\nGET /o/smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    const Reply reply = raw.reply("POST");
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.problem(), "bad-chunk") << body;
    EXPECT_EQ(raw.read_to_end(), "") << body;
  }
}

TEST_F(Refusals, MissingAndDoubleHost) {
  for (const char* more : {"", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a@b\r\n"}) {
    const Reply reply = connect().ask(fmt::format("GET /o/x HTTP/1.1\r\n{}\r\n", more));
    EXPECT_EQ(reply.status, 400) << more;
    EXPECT_EQ(reply.problem(), "bad-host") << more;
  }
  EXPECT_EQ(get("/o/count").body, "0");
}

TEST_F(Refusals, MalformedRequestLines) {
  for (const char* line : {"GET  /o/x HTTP/1.1", "GET /o/x  HTTP/1.1", "GET\t/o/x HTTP/1.1",
                           "G(T /o/x HTTP/1.1", "GET /o/x", "GET /o/\x7fx HTTP/1.1", "GET /o/x http/1.1"})
    expect_refused(fmt::format("{}\r\nHost: h\r\n\r\n", line), 400, "bad-request-line");
  expect_refused("GET /o/x HTTP/2.0\r\nHost: h\r\n\r\n", 505, "version-unsupported");
}

TEST_F(Refusals, BadTargets) {
  for (const char* target : {"/o/%00", "/o/%zz", "/o/%4", "o/x", "/o/x#f", "ftp://h/o/x"}) {
    const Reply reply = get(target);
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(reply.problem(), "bad-target") << target;
  }
}

TEST_F(Refusals, WhatIsTooLarge) {
  expect_refused(fmt::format("GET /o/{} HTTP/1.1\r\nHost: h\r\n\r\n", std::string(1100, 'x')), 414,
                 "target-too-long");
  expect_refused(fmt::format("GET /o/x HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", std::string(5000, 'x')), 431,
                 "head-too-large");
  std::string many = "GET /o/x HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 50; ++i) many += "X: y\r\n";
  expect_refused(many + "\r\n", 431, "head-too-large");
}

TEST_F(Refusals, ABodyThatIsTooLarge) {
  const Reply known = ask("POST", "/small/sink", "", std::string(1025, 'x'));
  EXPECT_EQ(known.status, 413);
  EXPECT_EQ(known.problem(), "body-too-large");
  EXPECT_EQ(get("/o/count").body, "0") << "refused by its head";
  Raw raw = connect();
  raw.send("POST /small/sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) raw.send(fmt::format("200\r\n{}\r\n", std::string(512, 'x')));
  EXPECT_EQ(raw.reply("POST").status, 413);
  EXPECT_EQ(ask("POST", "/small/sink", "", std::string(1024, 'x')).status, 200);
}

TEST_F(Refusals, AHeadThatDoesNotArriveInTime) {
  Raw raw = connect();
  raw.send("GET /o/x HTTP/1.1\r\nHost: h\r\n");
  const Reply reply = raw.reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.problem(), "head-timeout");
  EXPECT_TRUE(raw.ended());
}

TEST_F(Refusals, WhatNoRouteServes) {
  const Reply reply = get("/nowhere");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.problem(), "no-route");
  EXPECT_EQ(get("/ox/echo-head").status, 404) << "prefixes are of whole segments";
  EXPECT_EQ(get("/o/../nowhere").status, 404);
}

TEST_F(Refusals, AMethodThatARouteDoesNotTake) {
  const Reply reply = ask("POST", "/get/echo-head", "", "x");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.problem(), "method-not-allowed");
  EXPECT_EQ(reply.field("Allow"), "GET, HEAD");
  EXPECT_EQ(get("/get/echo-head").status, 200);
}

TEST_F(Refusals, EveryProblemNamesItsRequest) {
  const Reply reply = get("/nowhere", "X-Request-Id: my-request-1\r\n");
  EXPECT_THAT(reply.body, HasSubstr(R"("instance":"my-request-1")"));
}

}  // namespace
}  // namespace stateway::scenario
