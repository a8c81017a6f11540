// HTTP/1.1 through the gateway, octet by octet.
#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class Http : public Site {
 protected:
  void SetUp() override { start(origin_config()); }
};

constexpr std::string_view kEcho = "GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(Http, AConnectionServesManyRequests) {
  Raw raw = connect();
  for (int i = 0; i < 20; ++i) {
    const Reply reply = raw.ask(fmt::format("GET /o/echo-head?{} HTTP/1.1\r\nHost: h\r\n\r\n", i));
    ASSERT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, StartsWith(fmt::format("GET /o/echo-head?{} HTTP/1.1\n", i)));
  }
}

TEST_F(Http, PipelinedRequestsAreAnsweredInOrder) {
  Raw raw = connect();
  raw.send(
      "GET /o/slow?ms=60 HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /o/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
      "GET /o/echo-head?three HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(raw.reply().body, "at last");
  EXPECT_EQ(raw.reply("POST").body, "two");
  EXPECT_THAT(raw.reply().body, HasSubstr("?three"));
}

TEST_F(Http, ARequestMayComeOctetByOctet) {
  Raw raw = connect();
  for (const char c : std::string_view("POST /o/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"))
    raw.send({&c, 1});
  EXPECT_EQ(raw.reply("POST").body, "hello");
}

TEST_F(Http, HeadHasTheFieldsAndNoBody) {
  Raw raw = connect();
  const Reply head = raw.ask("HEAD /o/status?code=200 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "10");
  EXPECT_EQ(raw.ask("GET /o/status?code=200 HTTP/1.1\r\nHost: h\r\n\r\n").body, "status 200");
}

TEST_F(Http, NoContentAndNotModifiedHaveNoBody) {
  Raw raw = connect();
  const Reply none = raw.ask("GET /o/status?code=204 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.has("Content-Length"));
  EXPECT_FALSE(none.has("Transfer-Encoding"));
  const Reply same = raw.ask("GET /o/status?code=304 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("ETag"), "\"e\"");
  EXPECT_EQ(raw.ask(kEcho).status, 200) << "the connection goes on";
}

TEST_F(Http, StatusesComeThrough) {
  Raw raw = connect();
  for (const int code : {200, 201, 302, 400, 404, 418, 500, 503, 599}) {
    const Reply reply = raw.ask(fmt::format("GET /o/status?code={} HTTP/1.1\r\nHost: h\r\n\r\n", code));
    EXPECT_EQ(reply.status, code);
    EXPECT_EQ(reply.body, fmt::format("status {}", code));
  }
}

TEST_F(Http, ChunkedBodiesAndTrailersGoBothWays) {
  Raw raw = connect();
  const Reply reply = raw.ask(
      "POST /o/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
      "4;ext=1\r\nWiki\r\nA\r\npedia in c\r\n5\r\nhunks\r\n0\r\nX-Sum: 42\r\n"
      "Stateway-Session-Patch: {\"a\":1}\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "Wikipedia in chunks");
  EXPECT_THAT(reply.trailers, ElementsAre(Pair("X-Sum", "42")));
  EXPECT_EQ(raw.ask(kEcho).status, 200);
}

TEST_F(Http, AnEmptyChunkedBodyIsABody) {
  Raw raw = connect();
  EXPECT_EQ(raw.ask("POST /o/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").body,
            "");
  EXPECT_EQ(raw.ask(kEcho).status, 200);
}

TEST_F(Http, WhoWaitsForContinueGetsIt) {
  Raw raw = connect();
  raw.send("POST /o/echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(raw.read(25), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  raw.send("hello");
  const Reply reply = raw.reply("POST");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hello");
}

TEST_F(Http, AnAnswerBeforeTheBodyReachesTheClientAndEndsTheConnection) {
  Raw raw = connect();
  raw.send("POST /o/refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000, 'x'));
  const Reply reply = raw.reply("POST");
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.body, "no more");
  EXPECT_EQ(reply.field("Connection"), "close");
  raw.send(std::string(1000, 'x'));  // whoever still sends is not reset before it could read the answer
  raw.shutdown_write();
  EXPECT_TRUE(raw.ended());
  EXPECT_EQ(get("/o/status?code=200").status, 200) << "and the gateway serves on";
}

TEST_F(Http, WhoWaitsForContinueMayBeRefusedInstead) {
  Raw raw = connect();
  raw.send("POST /o/refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const Reply reply = raw.reply("POST");
  EXPECT_EQ(reply.status, 413);
  EXPECT_TRUE(reply.interim.empty());
  raw.shutdown_write();
  EXPECT_TRUE(raw.ended());
}

TEST_F(Http, AClientMayEndItsSideWithItsRequest) {
  Raw get = connect();
  get.send_last("GET /o/slow?ms=60 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(get.reply().body, "at last");
  Raw post = connect();
  post.send_last("POST /o/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(post.reply("POST").body, "hello");
}

TEST_F(Http, AnUnknownExpectationFails) {
  const Reply reply = get("/o/echo-head", "Expect: miracles\r\n");
  EXPECT_EQ(reply.status, 417);
  EXPECT_EQ(reply.problem(), "expectation-failed");
}

TEST_F(Http, InterimAnswersComeThrough) {
  const Reply reply = get("/o/early");
  EXPECT_THAT(reply.interim, ElementsAre(103));
  EXPECT_EQ(reply.body, "late");
}

TEST_F(Http, Http10GetsAnAnswerItUnderstands) {
  Raw raw = connect();
  raw.send("GET /o/bytes?n=1000&chunked=1 HTTP/1.0\r\nHost: h\r\n\r\n");
  const std::string got = raw.read_to_end();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, 1000u);
}

TEST_F(Http, Http10MayAskToStay) {
  Raw raw = connect();
  const Reply first = raw.ask("GET /o/status?code=200 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(first.field("Connection"), "keep-alive");
  raw.send("GET /o/status?code=200 HTTP/1.0\r\nHost: h\r\n\r\n");
  EXPECT_THAT(raw.read_to_end(), EndsWith("\r\n\r\nstatus 200"));
}

TEST_F(Http, ConnectionCloseIsHonoured) {
  Raw raw = connect();
  const Reply reply = raw.ask("GET /o/echo-head HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_TRUE(raw.ended());
}

TEST_F(Http, AnHttp10ClientWithoutHostIsServed) {
  Raw raw = connect();
  raw.send("GET /o/status?code=200 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(raw.read_to_end(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, AServiceThatDoesNotAnswerIsABadGateway) {
  const Reply reply = get("/o/close");
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.problem(), "upstream-closed");
  const Reply unsafe = ask("POST", "/o/close", "", "x");
  EXPECT_EQ(unsafe.status, 502);
  EXPECT_EQ(unsafe.problem(), "outcome-unknown");
}

class WebSocket : public Http {
 protected:
  static std::string handshake(std::string_view target, std::string_view more = "") {
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
        target, more);
  }
};

TEST_F(WebSocket, ATunnelCarriesOctetsBothWaysUntilOneSideEnds) {
  Raw raw = connect();
  const Reply reply = raw.ask(handshake("/o/ws") + "sent along");
  EXPECT_EQ(reply.status, 101);
  EXPECT_EQ(reply.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(raw.read(10), "sent along");
  for (const std::string_view text : {"one", "\x00\xff\x7f", "GET / HTTP/1.1\r\n\r\n"}) {
    raw.send(text);
    EXPECT_EQ(raw.read(text.size()), text);
  }
  const std::string much(1 << 20, 'm');
  std::size_t sent = 0, got = 0;
  while (got < much.size()) {
    if (sent < much.size()) raw.send(std::string_view(much).substr(sent, 8192));
    sent += 8192;
    got += raw.read_some().size();
  }
  EXPECT_EQ(got, much.size());
  raw.shutdown_write();
  EXPECT_TRUE(raw.ended());
}

TEST_F(WebSocket, OnASessionRouteOnlyOurOwnPagesMayOpenOne) {
  Raw foreign = connect();
  const Reply refused = foreign.ask(handshake("/s/ws", "Origin: http://evil.example\r\n"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.problem(), "origin-forbidden");
  Raw own = connect();
  EXPECT_EQ(own.ask(handshake("/s/ws", "Origin: http://shop.example\r\n")).status, 101);
  own.send("hi");
  EXPECT_EQ(own.read(2), "hi");
}

TEST_F(WebSocket, OtherUpgradesAreDropped) {
  const Reply reply = get("/o/echo-head", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, Not(HasSubstr("h2c")));
  EXPECT_THAT(reply.body, Not(HasSubstr("HTTP2-Settings")));
}

}  // namespace
}  // namespace stateway::scenario
