#include "stateway/documents.h"

#include <gtest/gtest.h>

namespace stateway::adapter {
namespace {

using std::chrono::seconds;

constexpr Clock::time_point kStart{};

Document document(std::string_view text) {
  return std::make_shared<const json::object>(json::parse(text).as_object());
}

TEST(Copies, AreOfOneVersion) {
  Copies copies(10'000);
  EXPECT_TRUE(copies.keep("a", 3, document(R"({"n":3})"), 7, true, kStart, kStart));
  EXPECT_EQ(copies.find("a", 3).document->at("n"), 3);
  EXPECT_EQ(copies.find("a", 3).bytes, 7u);
  EXPECT_EQ(copies.find("a", 2).document, nullptr);
  EXPECT_EQ(copies.find("a", 4).document, nullptr);
  EXPECT_EQ(copies.find("b", 3).document, nullptr);
  EXPECT_FALSE(copies.keep("a", 2, document("{}"), 2, true, kStart, kStart)) << "it is older";
  EXPECT_TRUE(copies.keep("a", 4, document(R"({"n":4})"), 7, false, kStart, kStart));
  EXPECT_EQ(copies.find("a", 3).document, nullptr);
  copies.forget("a");
  EXPECT_EQ(copies.find("a", 4).document, nullptr);
}

// The gateway commits one of them as that version, and nobody here knows which.
TEST(Copies, OfTwoMadeOfOneVersionNeitherStays) {
  Copies copies(10'000);
  EXPECT_TRUE(copies.keep("a", 4, document(R"({"x":1})"), 7, false, kStart, kStart));
  EXPECT_TRUE(copies.keep("a", 4, document(R"({"x":1})"), 7, false, kStart, kStart)) << "the same one, again";
  EXPECT_FALSE(copies.keep("a", 4, document(R"({"y":1})"), 7, false, kStart, kStart));
  EXPECT_EQ(copies.find("a", 4).document, nullptr);
  EXPECT_FALSE(copies.keep("a", 4, document(R"({"y":1})"), 7, false, kStart, kStart)) << "nor a third";
  EXPECT_TRUE(copies.keep("a", 4, document(R"({"z":1})"), 7, true, kStart, kStart)) << "the gateway knows";
  EXPECT_EQ(copies.find("a", 4).document->count("z"), 1u);
}

TEST(Copies, AreBoundedAndTheYoungStay) {
  Copies copies(1'500);  // two of 200 octets
  EXPECT_TRUE(copies.keep("a", 1, document("{}"), 200, true, kStart, kStart));
  EXPECT_TRUE(copies.keep("b", 1, document("{}"), 200, true, kStart, kStart));
  EXPECT_FALSE(copies.keep("c", 1, document("{}"), 200, true, kStart, kStart + seconds(60)));
  EXPECT_TRUE(copies.keep("c", 1, document("{}"), 200, true, kStart + seconds(60), kStart + seconds(61)));
  EXPECT_EQ(copies.find("a", 1).document, nullptr);
  EXPECT_NE(copies.find("b", 1).document, nullptr);
  EXPECT_FALSE(
      copies.keep("d", 1, document("{}"), 5'000, true, kStart + seconds(200), kStart + seconds(200)));
}

TEST(Copies, AreNotMadeByExchangesThatTookLong) {
  Copies copies(1'000);
  EXPECT_TRUE(copies.keep("a", 1, document("{}"), 2, true, kStart, kStart + seconds(60)));
  EXPECT_FALSE(copies.keep("b", 1, document("{}"), 2, true, kStart, kStart + seconds(61)));
}

json::object object(std::string_view text) { return json::parse(text).as_object(); }
const Document kEmpty = document("{}");

TEST(Memory, KeepsWhatParallelExchangesMake) {
  Memory memory(10'000, seconds(100));
  EXPECT_EQ(memory.find("a", kStart), nullptr);
  memory.change("a", kEmpty, object(R"({"x":1})"), 7, kStart);
  memory.change("a", kEmpty, object(R"({"y":1})"), 7, kStart);
  EXPECT_EQ(*memory.find("a", kStart), object(R"({"x":1,"y":1})"));
  memory.forget("a");
  EXPECT_EQ(memory.find("a", kStart), nullptr);
}

TEST(Memory, ForgetsWhatIsIdleAndTheOldestAboveItsBound) {
  Memory memory(1'500, seconds(100));
  memory.change("a", kEmpty, object(R"({"x":1})"), 200, kStart);
  EXPECT_NE(memory.find("a", kStart + seconds(100)), nullptr);  // which counts as used
  EXPECT_NE(memory.find("a", kStart + seconds(200)), nullptr);
  EXPECT_EQ(memory.find("a", kStart + seconds(301)), nullptr);
  memory.change("b", kEmpty, object(R"({"x":1})"), 200, kStart + seconds(400));
  memory.change("c", kEmpty, object(R"({"x":1})"), 200, kStart + seconds(400));
  EXPECT_NE(memory.find("b", kStart + seconds(401)), nullptr);
  memory.change("d", kEmpty, object(R"({"x":1})"), 200, kStart + seconds(402));
  EXPECT_EQ(memory.find("c", kStart + seconds(402)), nullptr);
  EXPECT_NE(memory.find("b", kStart + seconds(402)), nullptr);
}

TEST(Copies, OneThatDoesNotFitSendsNobodyAway) {
  Copies copies(1'500);
  EXPECT_TRUE(copies.keep("a", 1, kEmpty, 200, true, kStart, kStart));
  const Clock::time_point later = kStart + seconds(100);
  EXPECT_FALSE(copies.keep("b", 1, kEmpty, 1'500, true, later, later));
  EXPECT_NE(copies.find("a", 1).document, nullptr);
}

TEST(Memory, RefusesWhatDoesNotFitAndSendsNobodyAway) {
  Memory memory(1'500, seconds(100));
  EXPECT_TRUE(memory.change("a", kEmpty, object(R"({"x":1})"), 200, kStart));
  EXPECT_FALSE(memory.change("a", kEmpty, object(R"({"y":1})"), 1'500, kStart));
  EXPECT_FALSE(memory.change("b", kEmpty, object(R"({"y":1})"), 1'500, kStart));
  EXPECT_EQ(*memory.find("a", kStart), object(R"({"x":1})"));
}

// What an exchange at `version` sends: `given` with what the gateway does not have yet.
Document sent(Memory& memory, Version version, std::string_view given, Clock::time_point now = kStart) {
  const auto leaving = memory.leaving("a", version, now);
  if (!leaving) return nullptr;
  memory.send("a", version, leaving->document);
  return std::make_shared<const json::object>(combined(*leaving->base, *leaving->document, object(given)));
}

TEST(Memory, SendsItsDocumentUntilItHasArrived) {
  Memory memory(10'000, seconds(100));
  EXPECT_EQ(sent(memory, 0, "{}"), nullptr);
  memory.change("a", kEmpty, object(R"({"x":1})"), 7, kStart);
  EXPECT_EQ(*sent(memory, 0, "{}"), object(R"({"x":1})"));
  EXPECT_EQ(*sent(memory, 0, "{}"), object(R"({"x":1})")) << "that answer was not committed";
  for (const int second : {0, 59}) {
    EXPECT_EQ(sent(memory, 1, R"({"x":1})", kStart + seconds(second)), nullptr);
    EXPECT_NE(memory.find("a", kStart), nullptr) << "for those that are under way";
  }
  EXPECT_EQ(sent(memory, 1, R"({"x":1})", kStart + seconds(60)), nullptr);
  EXPECT_EQ(memory.find("a", kStart), nullptr);
}

TEST(Memory, SendsWhatExchangesOfTheOldPlacementAddMeanwhile) {
  Memory memory(10'000, seconds(100));
  memory.change("a", kEmpty, object(R"({"x":1})"), 7, kStart);
  const Document began = memory.find("a", kStart);  // what each of them works on
  (void)sent(memory, 0, "{}");
  memory.change("a", began, object(R"({"x":1,"one":1})"), 7, kStart);
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_EQ(*sent(memory, 1, R"({"x":2})"), object(R"({"x":2,"one":1})"));
  memory.change("a", began, object(R"({"x":1,"two":1})"), 7, kStart);
  EXPECT_EQ(*sent(memory, 2, R"({"x":2,"one":3})"), object(R"({"x":2,"one":3,"two":1})"))
      << "one had arrived";
  for (const int second : {0, 60}) EXPECT_EQ(sent(memory, 3, "{}", kStart + seconds(second)), nullptr);
  EXPECT_EQ(memory.find("a", kStart), nullptr);
  memory.change("a", began, object(R"({"x":1,"three":1})"), 7, kStart);
  EXPECT_EQ(*sent(memory, 4, "{}"), object(R"({"three":1})")) << "x had arrived long ago";
  EXPECT_EQ(sent(memory, 5, "{}"), nullptr);
}

}  // namespace
}  // namespace stateway::adapter
