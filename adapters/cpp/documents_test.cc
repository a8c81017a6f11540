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

TEST(Memory, KeepsWhatParallelExchangesMake) {
  Memory memory(10'000, seconds(100));
  EXPECT_EQ(memory.find("a", kStart), nullptr);
  memory.change("a", {}, object(R"({"x":1})"), 7, kStart);
  memory.change("a", {}, object(R"({"y":1})"), 7, kStart);
  EXPECT_EQ(*memory.find("a", kStart), object(R"({"x":1,"y":1})"));
  memory.forget("a");
  EXPECT_EQ(memory.find("a", kStart), nullptr);
}

TEST(Memory, ForgetsWhatIsIdleAndTheOldestAboveItsBound) {
  Memory memory(1'500, seconds(100));
  memory.change("a", {}, object(R"({"x":1})"), 200, kStart);
  EXPECT_NE(memory.find("a", kStart + seconds(100)), nullptr);  // which counts as used
  EXPECT_NE(memory.find("a", kStart + seconds(200)), nullptr);
  EXPECT_EQ(memory.find("a", kStart + seconds(301)), nullptr);
  memory.change("b", {}, object(R"({"x":1})"), 200, kStart + seconds(400));
  memory.change("c", {}, object(R"({"x":1})"), 200, kStart + seconds(400));
  EXPECT_NE(memory.find("b", kStart + seconds(401)), nullptr);
  memory.change("d", {}, object(R"({"x":1})"), 200, kStart + seconds(402));
  EXPECT_EQ(memory.find("c", kStart + seconds(402)), nullptr);
  EXPECT_NE(memory.find("b", kStart + seconds(402)), nullptr);
}

TEST(Memory, GivesItsDocumentUpUntilItHasArrived) {
  Memory memory(10'000, seconds(100));
  memory.change("a", {}, object(R"({"x":1})"), 7, kStart);
  EXPECT_EQ(memory.give_up("b", 0, {}), nullptr);
  EXPECT_EQ(*memory.give_up("a", 0, {}), object(R"({"x":1})"));
  EXPECT_EQ(*memory.give_up("a", 0, {}), object(R"({"x":1})")) << "that answer was not committed";
  EXPECT_EQ(memory.give_up("a", 1, object(R"({"x":1})")), nullptr);
  EXPECT_EQ(memory.find("a", kStart), nullptr);
}

TEST(Memory, GivesUpWhatExchangesOfTheOldPlacementAddMeanwhile) {
  Memory memory(10'000, seconds(100));
  memory.change("a", {}, object(R"({"x":1})"), 7, kStart);
  (void)memory.give_up("a", 0, {});
  memory.change("a", object(R"({"x":1})"), object(R"({"x":1,"late":1})"), 7, kStart);
  EXPECT_EQ(*memory.give_up("a", 1, object(R"({"x":2})")), object(R"({"x":2,"late":1})"));
  EXPECT_EQ(*memory.give_up("a", 1, object(R"({"x":2})")), object(R"({"x":2,"late":1})"));
  EXPECT_EQ(memory.give_up("a", 2, object(R"({"x":2,"late":1})")), nullptr);
  EXPECT_EQ(memory.find("a", kStart), nullptr);
}

}  // namespace
}  // namespace stateway::adapter
