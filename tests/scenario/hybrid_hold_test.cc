// placement = "hybrid": who holds a session's document is not sent it.
#include "hybrid_site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;

using HybridHold = HybridSite;

TEST_F(HybridHold, WhoMadeItIsNotSentIt) {
  begin();
  Raw& u = begin_held();
  const Request got = exchange(u, "");
  EXPECT_EQ(got.given(), "1 held one");
  EXPECT_THAT(got.text, Not(HasSubstr("Stateway-Session: ")));
  EXPECT_THAT(got.field("Stateway-Session-Url"), HasSubstr("http://127.0.0.1:"));
  EXPECT_EQ(got.field("Stateway-Session-Id").size(), 16u);
  EXPECT_EQ(counted("documents_spared"), 1u);
  EXPECT_EQ(counted("document_octets_spared"), std::string_view(R"({"a":1})").size());
  EXPECT_EQ(counted("documents_needed"), 0u);
}

TEST_F(HybridHold, WhoWasGivenItIsNotSentItAgain) {
  begin();
  Raw& u = begin_held();
  exchange(u, "Stateway-Session-Patch: {\"b\":2}\r\n");
  EXPECT_EQ(exchange(u, "Stateway-Session-Hold: two\r\n").given(), R"(2 {"a":1,"b":2})");
  EXPECT_EQ(exchange(u, "").given(), "2 held two");
  EXPECT_EQ(exchange(u, "").given(), "2 held two") << "an answer that says nothing takes nothing back";
}

TEST_F(HybridHold, ItsOwnPatchesAreHeldOn) {
  begin();
  Raw& u = begin_held();
  EXPECT_EQ(exchange(u, "Stateway-Session-Patch: {\"b\":2}\r\nStateway-Session-Hold: two\r\n").given(),
            "1 held one");
  EXPECT_EQ(exchange(u, "Stateway-Session-Patch: {\"c\":3}\r\nStateway-Session-Hold: three\r\n").given(),
            "2 held two");
  EXPECT_EQ(exchange(u, "").given(), "3 held three");
}

TEST_F(HybridHold, AServiceThatNeverHeardOfItAlwaysGetsTheDocument) {
  begin();
  Raw client = send("POST /");
  Raw& u = accept();
  take(u);
  answer(u, "Stateway-Session-Patch: {\"a\":1}\r\n");
  EXPECT_EQ(finish(client).field("Stateway-Placement"), "hybrid");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exchange(u, "").given(), R"(1 {"a":1})");
  EXPECT_EQ(counted("documents_spared"), 0u);
}

TEST_F(HybridHold, HoldMeansNothingToOtherPlacements) {
  begin("store");
  Raw& u = begin_held();
  EXPECT_EQ(exchange(u, kHoldOne).given(), R"(1 {"a":1})");
  EXPECT_EQ(exchange(u, "").given(), R"(1 {"a":1})");
}

TEST_F(HybridHold, ABodyThatIsStillOnItsWayComesWithTheDocument) {
  begin();
  Raw& u = begin_held();
  Raw client = send("POST /", "Content-Length: 4\r\n");
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  client.send("body");
  EXPECT_EQ(u.read(4), "body");
  answer(u, kHoldOne);
  EXPECT_EQ(finish(client).status, 200);
  EXPECT_EQ(exchange(u, "").given(), "1 held one");
}

TEST_F(HybridHold, ABodyTooLongToBeHeldComesWithTheDocument) {
  begin();
  Raw& u = begin_held();
  const std::string body(64 * 1024 + 1, 'b');
  Raw client = send("POST /", "", body);
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  EXPECT_EQ(u.read(body.size()), body);
  answer(u, "");
  EXPECT_EQ(finish(client).status, 200);
}

// Each made its own version 2, and the process may have kept either.
TEST_F(HybridHold, NothingIsHeldAfterParallelPatches) {
  begin();
  Raw& u = begin_held();
  Raw first = send("POST /");
  EXPECT_EQ(take(u).given(), "1 held one");
  Raw second = send("POST /");
  Raw& u2 = accept();
  EXPECT_EQ(take(u2).given(), "1 held one");
  answer(u, "Stateway-Session-Patch: {\"b\":2}\r\nStateway-Session-Hold: two\r\n");
  EXPECT_EQ(finish(first).status, 200);
  Raw between = send("GET /");
  EXPECT_EQ(take(u).given(), R"(2 {"a":1,"b":2})");
  answer(u, "");
  finish(between);
  answer(u2, "Stateway-Session-Patch: {\"c\":3}\r\nStateway-Session-Hold: two\r\n");
  EXPECT_EQ(finish(second).status, 200);
  Raw third = send("GET /");
  Raw* at = nullptr;
  EXPECT_TRUE(eventually([&] {
    for (const auto& upstream : upstreams_)
      if (std::string some = upstream->read_now(); !some.empty()) {
        EXPECT_THAT(some, HasSubstr("Stateway-Session: {\"a\":1,\"b\":2,\"c\":3}\r\n"));
        at = upstream.get();
      }
    return at != nullptr;
  }));
  answer(*at, "Stateway-Session-Hold: three\r\n");
  EXPECT_EQ(finish(third).status, 200);
}

TEST_F(HybridHold, NothingIsHeldAfterAnAnswerThatWasNotTaken) {
  begin();
  Raw& u = begin_held();
  Raw client = send("POST /");
  EXPECT_EQ(take(u).given(), "1 held one");
  answer(u,
         "Stateway-Session-Patch: [{\"op\":\"test\",\"path\":\"/a\",\"value\":7}]\r\nStateway-Session-Hold: "
         "two\r\n");
  EXPECT_EQ(finish(client).status, 409);
  Raw next = send("GET /");
  EXPECT_EQ(take(accept()).given(), R"(1 {"a":1})");
}

TEST_F(HybridHold, ADocumentTooLongForTheHeadIsHeldToo) {
  begin();
  Raw client = send("POST /");
  Raw& u = accept();
  take(u);
  const std::string text(6000, 'x');
  answer(u, fmt::format("Stateway-Session-Patch: {{\"t\":\"{}\"}}\r\n", text));
  finish(client);
  const Request got = exchange(u, kHoldOne);
  EXPECT_EQ(got.given(), "1 -") << "it comes by the session URL";
  EXPECT_EQ(exchange(u, "").given(), "1 held one");
  EXPECT_EQ(counted("document_octets_spared"), text.size() + 8);
}

TEST_F(HybridHold, AHandshakeHoldsToo) {
  begin();
  Raw& u = begin_held();
  Raw client = send("GET /",
                    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  EXPECT_EQ(take(u).given(), "1 held one");
  answer(u, kNeed);
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  u.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nStateway-Session-Patch: {\"b\":2}\r\n"
      "Stateway-Session-Hold: two\r\n\r\n");
  EXPECT_THAT(client.read_some(), HasSubstr("101 "));
  Raw other = send("GET /");
  Raw& u2 = accept();
  EXPECT_EQ(take(u2).given(), "2 held two") << "the tunnel is open";
  client.send("through");
  EXPECT_EQ(u.read(7), "through");
  answer(u2, "");
  finish(other);
  client.close();
  u.close();
}

TEST_F(HybridHold, ATokenThatIsNoneIsTheServicesFaultInEveryPlacement) {
  for (const std::string_view placement : {"hybrid", "store"}) {
    begin(placement);
    for (const std::string& bad : {std::string("a b"), std::string(65, 'x'), std::string("a,b")}) {
      Raw client = send("POST /");
      Raw& u = accept();
      take(u);
      answer(u, fmt::format("Stateway-Session-Hold: {}\r\n", bad));
      EXPECT_EQ(finish(client).problem(), "bad-patch") << placement << " " << bad;
      u.close();
    }
    stop();
  }
}

TEST_F(HybridHold, RenewKeepsAndEndForgets) {
  begin();
  Raw& u = begin_held();
  const std::string old = cookie_;
  EXPECT_EQ(exchange(u, "Stateway-Session-Op: renew\r\nStateway-Session-Hold: two\r\n").given(),
            "1 held one");
  EXPECT_NE(cookie_, old);
  EXPECT_EQ(exchange(u, "Stateway-Session-Op: end\r\nStateway-Session-Hold: three\r\n").given(),
            "2 held two");
  EXPECT_EQ(exchange(u, "").given(), "0 {}");
}

TEST_F(HybridHold, ClientsCannotSayWhatIsHeld) {
  begin();
  Raw& u = begin_held();
  exchange(u, "Stateway-Session-Patch: {\"b\":2}\r\n");
  Raw client = send("GET /", "Stateway-Session-Held: mine\r\nStateway_Session_Held: mine\r\n");
  const Request got = take(u);
  EXPECT_EQ(got.given(), R"(2 {"a":1,"b":2})");
  EXPECT_THAT(got.text, Not(HasSubstr("mine")));
  answer(u, "");
  finish(client);
}

}  // namespace
}  // namespace stateway::scenario
