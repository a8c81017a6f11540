#include "stateway/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace stateway::adapter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

using Headers = std::map<std::string, std::string, std::less<>>;

// One process, asked as a gateway asks.
struct Process {
  explicit Process(Options o = {}) : sessions(adjusted(std::move(o))) {}
  Options adjusted(Options o) {
    o.now = [this] { return now; };
    return o;
  }
  Session open(Headers headers) {
    return sessions.open([&](std::string_view name) {
      const auto found = headers.find(name);
      return found == headers.end() ? std::string_view() : std::string_view(found->second);
    });
  }
  Clock::time_point now{};
  Sessions sessions;
};

Headers given(std::string document, std::string version = "3") {
  return {{"Stateway-Session-Id", "id"},
          {"Stateway-Session-Version", std::move(version)},
          {"Stateway-Session", std::move(document)},
          {"Stateway-Session-Url", "http://127.0.0.1:1/0/x"}};
}
// Placement instance.
const Headers kIdAlone = {{"Stateway-Session-Id", "id"}};

std::map<std::string, std::string> finished(Session& session, int status = 200) {
  session.finish(status);
  return {session.fields().begin(), session.fields().end()};
}
// What the answer carries, but for Hold.
std::map<std::string, std::string> answer(Session& session, int status = 200) {
  auto out = finished(session, status);
  out.erase("Stateway-Session-Hold");
  return out;
}

TEST(Session, GivesTheDocumentAndSendsWhatChanged) {
  Process process;
  Session session = process.open(given(R"({"a":1,"b":{"c":2}})"));
  EXPECT_TRUE(session.exists());
  EXPECT_EQ(session.id(), "id");
  EXPECT_EQ(session.version(), 3u);
  EXPECT_EQ(*session.get("a"), 1);
  EXPECT_EQ(session.get("z"), nullptr);
  session.set("a", 2);
  session.edit()["b"].as_object()["d"] = "ü";
  session.erase("x");
  EXPECT_EQ(*session.get("a"), 2);
  EXPECT_THAT(answer(session), ElementsAre(Pair("Stateway-Session-Patch", R"({"a":2,"b":{"d":"\u00fc"}})")));
}

TEST(Session, TakesWhatContainersHoldAndValuesOfOtherDocuments) {
  Process process;
  Session session = process.open(given(R"({"from":{"deep":[1,"x"]}})"));
  Session other = process.open(given(R"({})"));
  other.set("copied", *session.get("from"));
  other.set("moved", std::move(session.edit()["from"]));
  other.set("list", std::vector<int>{1, 2});
  other.set("text", std::string("t"));
  EXPECT_THAT(answer(other), ElementsAre(Pair("Stateway-Session-Patch",
                                              R"({"copied":{"deep":[1,"x"]},"moved":{"deep":[1,"x"]},)"
                                              R"("list":[1,2],"text":"t"})")));
}

TEST(Session, SendsNothingWhenNothingChanged) {
  Process process;
  Session session = process.open(given(R"({"a":1})"));
  session.set("a", 2);
  session.set("a", 1);
  EXPECT_THAT(answer(session), IsEmpty());
}

TEST(Session, RenewsEndsAndNamesThePrincipal) {
  Process process;
  Session renewed = process.open(given("{}"));
  renewed.renew();
  EXPECT_THAT(answer(renewed), ElementsAre(Pair("Stateway-Session-Op", "renew")));
  Session log_in = process.open(given("{}"));
  log_in.set("user", "ann");
  log_in.renew("ann");
  EXPECT_THAT(answer(log_in), UnorderedElementsAre(Pair("Stateway-Session-Op", "renew"),
                                                   Pair("Stateway-Session-Principal", "ann"),
                                                   Pair("Stateway-Session-Patch", R"({"user":"ann"})")));
  Session ended = process.open(given(R"({"a":1})"));
  ended.set("a", 2);
  ended.end();
  EXPECT_THAT(finished(ended), ElementsAre(Pair("Stateway-Session-Op", "end")));
}

TEST(Session, RefusesAPrincipalWithControlCharacters) {
  for (const std::string principal : {"ann\r\nX: y", "a\tb", "\x7f"}) {
    Process process;
    for (const Headers& headers : {given("{}"), kIdAlone}) {
      Session session = process.open(headers);
      session.set("user", principal);
      session.renew(principal);
      EXPECT_THAT(finished(session), IsEmpty());
      ASSERT_NE(session.refusal(), nullptr);
      EXPECT_EQ(session.refusal()->status, 500);
    }
    EXPECT_TRUE(process.open(kIdAlone).data().empty());
  }
  Process process;
  Session session = process.open(given("{}"));
  session.renew("José");
  EXPECT_EQ(finished(session)["Stateway-Session-Principal"], "José");
}

TEST(Session, IsRefusedWhenItIsLargerThanTheMemory) {
  Process process({.memory_bytes_max = 2'000});
  Session small = process.open(kIdAlone);
  small.set("a", 1);
  EXPECT_THAT(finished(small), IsEmpty());
  Session large = process.open(kIdAlone);
  large.set("a", std::string(2'000, 'x'));
  large.renew();
  EXPECT_THAT(finished(large), IsEmpty());
  ASSERT_NE(large.refusal(), nullptr);
  EXPECT_EQ(*process.open(kIdAlone).get("a"), 1);
}

TEST(Session, ReadsClaims) {
  Process process;
  Headers headers = given("{}");
  EXPECT_TRUE(process.open(headers).principal().empty());
  headers["Stateway-Principal"] = R"({"sub":"ann"})";
  EXPECT_EQ(process.open(headers).principal().at("sub"), "ann");
}

TEST(Session, RefusesWhoDoesNotKnowTheToken) {
  Process process({.token = "secret"});
  for (const char* token : {"", "secreT", "secret2", "secre"}) {
    Headers headers = given("{}");
    headers["Stateway-Token"] = token;
    const Session session = process.open(headers);
    ASSERT_NE(session.refusal(), nullptr) << token;
    EXPECT_EQ(session.refusal()->status, 403);
    EXPECT_FALSE(session.exists());
  }
  Headers headers = given("{}");
  headers["Stateway-Token"] = "secret";
  EXPECT_EQ(process.open(headers).refusal(), nullptr);
}

TEST(Session, WithoutAGatewayIsEmptyAndChangesGoNowhere) {
  Process process;
  Session session = process.open({});
  EXPECT_FALSE(session.exists());
  session.set("a", 1);
  EXPECT_EQ(*session.get("a"), 1);
  EXPECT_THAT(finished(session), IsEmpty());
  EXPECT_EQ(process.open({}).get("a"), nullptr);
}

TEST(Session, FetchesALargeDocument) {
  Process process;
  Headers headers = given("");
  for (const bool there : {true, false}) {
    Session session = process.open(headers);
    ASSERT_NE(session.due(), nullptr);
    EXPECT_EQ(session.due()->method, "GET");
    EXPECT_EQ(session.due()->url, "http://127.0.0.1:1/0/x");
    session.answered(there ? 200 : 404, there ? R"({"large":true})" : "{}");
    EXPECT_EQ(session.due(), nullptr);
    EXPECT_EQ(session.refusal() == nullptr, there);
    if (there) EXPECT_EQ(*session.get("large"), true);
    if (!there) EXPECT_EQ(session.refusal()->status, 503);
  }
}

TEST(Session, PatchesByTheUrlWhatIsTooLongForAHeader) {
  constexpr std::size_t kAround = std::string_view(R"({"a":""})").size();
  for (const bool fits : {true, false}) {
    Process process;
    Session session = process.open(given(R"({"b":1})"));
    session.set("a", std::string(64 * 1024 - kAround + (fits ? 0 : 1), 'x'));
    session.finish(200);
    EXPECT_EQ(session.due() == nullptr, fits);
    if (fits) continue;
    EXPECT_EQ(session.due()->method, "PATCH");
    EXPECT_EQ(session.due()->content_type, "application/merge-patch+json");
    EXPECT_EQ(session.due()->body.size(), 64u * 1024 + 1);
    session.answered(204, "");
    EXPECT_EQ(session.refusal(), nullptr);
    EXPECT_THAT(session.fields(), ElementsAre(Pair("Stateway-Session-Hold", testing::_)));
  }
}

TEST(Session, IsRefusedWhenThePatchIs) {
  Process process;
  Session session = process.open(given(R"({})"));
  session.set("a", json::object{{"null", nullptr}, {"x", std::string(64 * 1024, 'x')}});
  session.renew();
  session.finish(200);
  ASSERT_NE(session.due(), nullptr);
  EXPECT_EQ(session.due()->content_type, "application/json-patch+json");
  session.answered(413, "");
  ASSERT_NE(session.refusal(), nullptr);
  EXPECT_THAT(session.fields(), IsEmpty());
}

// Placement hybrid.
Headers held(std::string token, std::string version) {
  Headers out = given("", std::move(version));
  out.erase("Stateway-Session");
  out["Stateway-Session-Held"] = std::move(token);
  return out;
}

TEST(Session, HoldsWhatItWasGivenAndWhatItMade) {
  Process process;
  Session first = process.open(given(R"({"a":1})"));
  const std::string token = finished(first)["Stateway-Session-Hold"];
  EXPECT_EQ(token.size(), 32u);
  Session second = process.open(held(token, "3"));
  EXPECT_EQ(second.refusal(), nullptr);
  EXPECT_EQ(*second.get("a"), 1);
  second.set("a", 2);
  auto fields = finished(second);
  EXPECT_EQ(fields["Stateway-Session-Patch"], R"({"a":2})");
  EXPECT_EQ(fields["Stateway-Session-Hold"], token);
  Session third = process.open(held(token, "4"));
  EXPECT_EQ(*third.get("a"), 2);
  third.renew();
  EXPECT_EQ(finished(third)["Stateway-Session-Hold"], token);
  EXPECT_EQ(process.open(held(token, "5")).refusal(), nullptr);
}

TEST(Session, HoldsACopyThatIsCountedAsItIs) {
  Process process({.copies_bytes_max = 5'000});
  std::string token;
  for (int i = 1; i < 20; ++i) {  // each patch is as long as the document
    const std::string version = std::to_string(i);
    Session session = process.open(token.empty() ? given("{}", version) : held(token, version));
    session.set("a", std::string(1'000, static_cast<char>('a' + i)));
    token = finished(session)["Stateway-Session-Hold"];
    ASSERT_FALSE(token.empty()) << i;
  }
}

TEST(Session, AsksForWhatItDoesNotHold) {
  Process process, other;
  Session first = process.open(given(R"({"a":1})"));
  const std::string token = finished(first)["Stateway-Session-Hold"];
  for (const auto& headers : {held(token, "2"), held(token, "4"), held("another", "3")}) {
    const Session session = process.open(headers);
    ASSERT_NE(session.refusal(), nullptr);
    EXPECT_THAT(session.fields(), ElementsAre(Pair("Stateway-Session-Op", "need")));
  }
  EXPECT_NE(other.open(held(token, "3")).refusal(), nullptr) << "the token is of one process";
  Session ended = process.open(given(R"({"a":1})"));
  ended.end();
  EXPECT_EQ(finished(ended).count("Stateway-Session-Hold"), 0u);
  EXPECT_NE(process.open(held(token, "3")).refusal(), nullptr);
}

TEST(Session, HoldsNothingThatIsNewOrFailedOrWhenToldNotTo) {
  Process process, none({.copies_bytes_max = 0});
  Session fresh = process.open(given("{}", "0"));
  EXPECT_THAT(finished(fresh), IsEmpty());
  Session failed = process.open(given("{}"));
  EXPECT_THAT(finished(failed, 503), IsEmpty()) << "another instance may answer in its place";
  Session told = none.open(given("{}"));
  EXPECT_THAT(finished(told), IsEmpty());
}

TEST(Session, LivesInMemoryWhereTheGatewayKeepsNoDocument) {
  Process process;
  Session first = process.open(kIdAlone);
  EXPECT_TRUE(first.exists());
  Session beside = process.open(kIdAlone);
  first.set("a", 1);
  EXPECT_THAT(finished(first), IsEmpty());
  beside.set("b", 2);
  EXPECT_THAT(finished(beside), IsEmpty());
  Session again = process.open(kIdAlone);
  EXPECT_EQ(again.data(), (json::object{{"a", 1}, {"b", 2}}));
  EXPECT_EQ(process.open({{"Stateway-Session-Id", "other"}}).get("a"), nullptr);
  again.renew("ann");
  EXPECT_THAT(finished(again), UnorderedElementsAre(Pair("Stateway-Session-Op", "renew"),
                                                    Pair("Stateway-Session-Principal", "ann")));
  Session last = process.open(kIdAlone);
  EXPECT_EQ(*last.get("a"), 1);
  last.end();
  EXPECT_THAT(finished(last), ElementsAre(Pair("Stateway-Session-Op", "end")));
  EXPECT_TRUE(process.open(kIdAlone).data().empty());
}

Headers of_other(Headers headers) {
  headers["Stateway-Session-Id"] = "other";
  return headers;
}

TEST(Session, OfOneProcessMayBeUsedByManyThreads) {
  Process process;
  constexpr int kThreads = 4, kRounds = 200;
  std::atomic<int> wrong = 0;
  const auto work = [&](int thread) {
    std::string token;
    for (int i = 0; i < kRounds; ++i) {
      Session kept = process.open(kIdAlone);
      kept.set(std::to_string(thread) + "-" + std::to_string(i), i);
      kept.finish(200);
      // The same session at another placement; who comes first at a version leaves a copy, others may not.
      const std::string version = std::to_string(i + 1);
      Session there = token.empty() ? process.open(of_other(given(R"({"n":1})", version)))
                                    : process.open(of_other(held(token, version)));
      if (there.refusal() == nullptr && *there.get("n") != 1) ++wrong;
      token = finished(there)["Stateway-Session-Hold"];
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(process.open(kIdAlone).data().size(), std::size_t{kThreads} * kRounds);
}

TEST(Session, LeavesTheMemoryWhenThePlacementChanges) {
  Process process;
  Session first = process.open(kIdAlone);
  first.set("a", 1);
  first.set("none", nullptr);
  (void)finished(first);
  for (int attempt = 0; attempt < 2; ++attempt) {  // the first answer is not committed
    Session moving = process.open(given("{}", "0"));
    EXPECT_EQ(*moving.get("a"), 1);
    moving.set("b", 2);
    const json::value patch = json::parse(answer(moving)["Stateway-Session-Patch"]);
    EXPECT_EQ(patch, json::parse(R"([{"op":"add","path":"/a","value":1},
        {"op":"add","path":"/none","value":null},{"op":"add","path":"/b","value":2}])"));
  }
  for (int minute = 0; minute < 2; ++minute, process.now += std::chrono::minutes(1)) {
    Session moved = process.open(given(R"({"a":1,"none":null,"b":2})", "1"));
    EXPECT_THAT(answer(moved), IsEmpty());
  }
  EXPECT_TRUE(process.open(kIdAlone).data().empty()) << "the copy is forgotten";
}

TEST(Session, LosesNothingThatChangesAfterItLeftTheMemory) {
  Process process;
  Session first = process.open(kIdAlone);
  first.set("tea", 1);
  (void)finished(first);
  Session slow = process.open(kIdAlone);
  Session moving = process.open(given("{}", "0"));
  EXPECT_EQ(answer(moving)["Stateway-Session-Patch"], R"({"tea":1})");
  Session look = process.open(given(R"({"tea":1})", "1"));
  EXPECT_THAT(answer(look), IsEmpty());
  slow.set("bread", 1);
  EXPECT_THAT(finished(slow), IsEmpty());
  for (int attempt = 0; attempt < 2; ++attempt) {
    Session next = process.open(given(R"({"tea":2})", "2"));
    EXPECT_EQ(next.data(), (json::object{{"tea", 2}, {"bread", 1}}));
    EXPECT_EQ(answer(next)["Stateway-Session-Patch"], R"({"bread":1})");
  }
}

TEST(Session, MakesItsCallsByABlockingFetch) {
  Process process;
  std::vector<std::string> calls;
  const auto fetch = [&calls](const Call& call) {
    calls.push_back(call.method + " " + call.url);
    return std::pair<int, std::string>(call.method == "GET" ? 200 : 204, R"({"a":1})");
  };
  const Headers headers = given("");
  const auto header = [&headers](std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  };
  Session session = process.sessions.open(header, fetch);
  EXPECT_EQ(*session.get("a"), 1);
  session.set("b", std::string(100'000, 'x'));
  Sessions::finish(session, 200, fetch);
  EXPECT_EQ(session.refusal(), nullptr);
  EXPECT_THAT(calls, ElementsAre("GET http://127.0.0.1:1/0/x", "PATCH http://127.0.0.1:1/0/x"));
}

}  // namespace
}  // namespace stateway::adapter
