// placement = "hybrid": who does not hold it after all says so.
#include "hybrid_site.h"

namespace stateway::scenario {
namespace {

using HybridNeed = HybridSite;

TEST_F(HybridNeed, WhoNeedsItGetsItInTheSameAttempt) {
  begin();
  Raw& u = begin_held();
  Raw client = send("POST /", "", "the body");
  EXPECT_EQ(take(u).given(), "1 held one");
  EXPECT_EQ(u.read(8), "the body");
  answer(u, kNeed, "not for the client");
  const Request again = take(u);  // over the same connection
  EXPECT_EQ(again.given(), R"(1 {"a":1})");
  EXPECT_EQ(again.field("Stateway-Attempt"), "1");
  EXPECT_EQ(u.read(8), "the body");
  answer(u, "Stateway-Session-Patch: {\"b\":2}\r\nStateway-Session-Hold: two\r\n", "for the client");
  EXPECT_EQ(finish(client).body, "for the client");
  EXPECT_EQ(exchange(u, "").given(), "2 held two");
  EXPECT_EQ(counted("documents_needed"), 1u);
  EXPECT_EQ(counted("documents_spared"), 1u);
  EXPECT_EQ(counted("retries"), 0u);
}

TEST_F(HybridNeed, WhoNeedsItIsNotBelievedToHoldIt) {
  begin();
  Raw& u = begin_held();
  Raw client = send("GET /");
  take(u);
  answer(u, kNeed);
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  answer(u, "");
  finish(client);
  EXPECT_EQ(exchange(u, "").given(), R"(1 {"a":1})");
}

TEST_F(HybridNeed, AConnectionThatEndsWithTheNeedIsNotUsedAgain) {
  begin();
  for (const std::string_view end :
       {"HTTP/1.1 200 OK\r\nStateway-Session-Op: need\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nStateway-Session-Op: need\r\n\r\nuntil it ends",
        "HTTP/1.1 200 OK\r\nStateway-Session-Op: need\r\nContent-Length: 100\r\n\r\ncut"}) {
    cookie_.clear();
    upstreams_.clear();
    Raw& u = begin_held();
    Raw client = send("POST /");
    EXPECT_EQ(take(u).given(), "1 held one");
    u.send(end);
    u.close();
    Raw& next = accept();
    const Request again = take(next);
    EXPECT_EQ(again.given(), R"(1 {"a":1})");
    EXPECT_EQ(again.field("Stateway-Attempt"), "1");
    answer(next, "", "done");
    EXPECT_EQ(finish(client).body, "done");
    next.close();
  }
}

TEST_F(HybridNeed, NeedAlthoughItWasSentIsTheServicesFault) {
  begin();
  Raw& u = begin_held();
  Raw client = send("POST /");
  take(u);
  answer(u, kNeed);
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  answer(u, kNeed);
  EXPECT_EQ(finish(client).problem(), "bad-patch");
  EXPECT_EQ(counted("documents_needed"), 1u);
}

TEST_F(HybridNeed, NeedOfOtherPlacementsIsTheServicesFault) {
  begin("store");
  Raw client = send("POST /");
  Raw& u = accept();
  take(u);
  answer(u, kNeed);
  const Reply reply = finish(client);
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.problem(), "bad-patch");
}

TEST_F(HybridNeed, NeedBesideChangesIsTheServicesFault) {
  begin();
  for (const std::string_view beside :
       {"Stateway-Session-Patch: {\"b\":2}\r\n", "Stateway-Session-Op: renew\r\n",
        "Stateway-Session-Op: end\r\n", "Stateway-Session-Principal: me\r\n", "by the session URL"}) {
    SCOPED_TRACE(beside);
    cookie_.clear();
    upstreams_.clear();
    Raw& u = begin_held();
    Raw client = send("POST /");
    const Request got = take(u);
    EXPECT_EQ(got.given(), "1 held one");
    if (beside.starts_with("Stateway")) {
      answer(u, fmt::format("{}{}", kNeed, beside));
    } else {
      const std::string url = got.field("Stateway-Session-Url").substr(7);
      Raw session(*parse_address(url.substr(0, url.find('/'))));
      const Reply patched =
          session.ask(fmt::format("PATCH {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                  "Content-Length: 7\r\n\r\n{{\"b\":2}}",
                                  url.substr(url.find('/'))));
      EXPECT_EQ(patched.status, 204);
      answer(u, kNeed);
    }
    EXPECT_EQ(finish(client).problem(), "bad-patch");
    Raw next = send("GET /");
    EXPECT_EQ(take(accept()).given(), R"(1 {"a":1})") << "nothing was committed, and nothing is held";
  }
}

TEST_F(HybridNeed, AProcessThatDiesBetweenNeedAndDocumentIsRetriedAsEver) {
  begin();
  for (const bool safe : {true, false}) {
    cookie_.clear();
    upstreams_.clear();
    Raw& u = begin_held();
    Raw client = send(safe ? "GET /" : "POST /");
    take(u);
    answer(u, kNeed);
    EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
    u.close();
    if (safe) {
      // The connection was used before: it may just have been idle for too long.
      Raw& fresh = accept();
      EXPECT_EQ(take(fresh).given(), R"(1 {"a":1})");
      fresh.close();
      Raw& next = accept();
      const Request again = take(next);
      EXPECT_EQ(again.given(), R"(1 {"a":1})");
      EXPECT_EQ(again.field("Stateway-Attempt"), "2");
      answer(next, "");
      EXPECT_EQ(finish(client).status, 200);
      next.close();
    } else {
      EXPECT_EQ(finish(client).problem(), "outcome-unknown");
    }
  }
}

TEST_F(HybridNeed, ABodyWithTrailersGoesTwice) {
  begin();
  Raw& u = begin_held();
  const std::string chunks = "4\r\nbody\r\n0\r\nCheck: sum\r\n\r\n";
  Raw client = connect();
  client.send(fmt::format("POST / HTTP/1.1\r\nHost: h\r\nCookie: {}\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                          cookie_, chunks));
  EXPECT_EQ(take(u).given(), "1 held one");
  EXPECT_EQ(u.read(chunks.size()), chunks);
  answer(u, kNeed);
  EXPECT_EQ(take(u).given(), R"(1 {"a":1})");
  EXPECT_EQ(u.read(chunks.size()), chunks);
  answer(u, "", "done");
  EXPECT_EQ(finish(client).body, "done");
}

}  // namespace
}  // namespace stateway::scenario
