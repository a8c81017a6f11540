#include "lab/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Strings = std::vector<std::string>;

class LedgerOfOneSession : public testing::Test {
 protected:
  LedgerOfOneSession() {
    ledger.record("s", "kept", Write::acknowledged);
    ledger.record("s", "kept too", Write::acknowledged);
    ledger.record("s", "perhaps", Write::indeterminate);
    ledger.record("s", "no", Write::refused);
  }
  Findings see(const Strings& observed) { return ledger.verify("s", observed); }
  Ledger ledger;
};

TEST_F(LedgerOfOneSession, IsCleanWithWhatWasAcknowledgedAndWithOrWithoutTheIndeterminate) {
  EXPECT_TRUE(see({"kept", "kept too"}).clean());
  EXPECT_TRUE(see({"kept too", "perhaps", "kept"}).clean());
  EXPECT_EQ(see({"kept", "kept too"}).text(), "");
}

TEST_F(LedgerOfOneSession, ReportsWhatWasAcknowledgedAndIsMissing) {
  const Findings found = see({"kept"});
  EXPECT_THAT(found.missing, ElementsAre("kept too"));
  EXPECT_FALSE(found.clean());
  EXPECT_THAT(found.text(), HasSubstr("1 acknowledged but missing: kept too"));
}

TEST_F(LedgerOfOneSession, ReportsDuplicatesEvenOfTheIndeterminate) {
  const Findings found = see({"kept", "kept too", "kept", "perhaps", "perhaps", "perhaps"});
  EXPECT_THAT(found.duplicated, ElementsAre("kept", "perhaps"));
  EXPECT_THAT(found.missing, IsEmpty());
}

TEST_F(LedgerOfOneSession, ReportsWhatNobodyWrote) {
  EXPECT_THAT(see({"kept", "kept too", "ghost"}).unknown, ElementsAre("ghost"));
}

TEST_F(LedgerOfOneSession, ReportsWhatIsThereAlthoughItWasRefused) {
  const Findings found = see({"kept", "kept too", "no"});
  EXPECT_THAT(found.undead, ElementsAre("no"));
  EXPECT_THAT(found.unknown, IsEmpty());
}

TEST_F(LedgerOfOneSession, AnEmptySessionMissesAll) {
  EXPECT_THAT(see({}).missing, ElementsAre("kept", "kept too"));
}

TEST(Ledger, SessionsDoNotMix) {
  Ledger ledger;
  ledger.record("a", "x", Write::acknowledged);
  ledger.record("b", "y", Write::acknowledged);
  const Findings found = ledger.verify("a", Strings{"y"});
  EXPECT_THAT(found.missing, ElementsAre("x"));
  EXPECT_THAT(found.unknown, ElementsAre("y"));
  EXPECT_THAT(ledger.verify("c", Strings{"x"}).unknown, ElementsAre("x"));
  EXPECT_EQ(ledger.sessions(), 2u);
}

TEST(Ledger, TheStrongestKnowledgeOfAnItemCounts) {
  Ledger ledger;
  ledger.record("s", "tried again", Write::indeterminate);
  ledger.record("s", "tried again", Write::acknowledged);
  ledger.record("s", "tried again", Write::refused);
  EXPECT_THAT(ledger.verify("s", Strings{}).missing, ElementsAre("tried again"));
  EXPECT_EQ(ledger.count(Write::acknowledged), 1u);
  EXPECT_EQ(ledger.count(Write::indeterminate), 0u);
}

TEST(Ledger, LongListsAreShortened) {
  Ledger ledger;
  for (int i = 0; i < 25; ++i) ledger.record("s", "item " + std::to_string(i), Write::acknowledged);
  const std::string text = ledger.verify("s", Strings{}).text();
  EXPECT_THAT(text, HasSubstr("25 acknowledged but missing"));
  EXPECT_THAT(text, HasSubstr("…"));
  EXPECT_THAT(text, Not(HasSubstr("item 9")));
}

}  // namespace
}  // namespace stateway::lab
