// What a StateStore remembers of commits that may come a second time: part of what every one must do, like
// store/contract_test.h.
#pragma once

#include "store/store_fixture.h"

namespace stateway::store {

template <class Provider>
class StoreRepeats : public StoreFixture<Provider> {};

TYPED_TEST_SUITE_P(StoreRepeats);

TYPED_TEST_P(StoreRepeats, ARepeatedCommitIsANoOp) {
  const auto commit = [&](CommitId id, Revision expected, std::string value) {
    Batch batch = one_write("a", expected, live(expected + 1, this->in(1000), std::move(value)));
    batch.id = id;
    return this->commit(std::move(batch));
  };
  EXPECT_EQ(commit({.gateway = 7, .sequence = 1}, 0, "1").value(), 1u);
  EXPECT_EQ(commit({.gateway = 7, .sequence = 1}, 0, "again").value(), 1u);
  EXPECT_EQ(this->loaded("a")->value, "1");
  EXPECT_EQ(commit({.gateway = ~0ull, .sequence = 1}, 1, "2").value(), 2u);
  EXPECT_EQ(commit({.gateway = 7, .sequence = 2}, 2, "3").value(), 3u);
  // Others came after it, and so did later ones of its own.
  EXPECT_EQ(commit({.gateway = ~0ull, .sequence = 1}, 1, "again").value(), 2u);
  EXPECT_EQ(commit({.gateway = 7, .sequence = 1}, 0, "again").value(), 1u);
  Record expected = live(3, this->in(1000), "3");
  expected.applied = {{.gateway = 7, .sequence = 2}, {.gateway = ~0ull, .sequence = 1}};
  EXPECT_EQ(this->loaded("a"), expected);
  EXPECT_CODE(commit({.gateway = 7, .sequence = 3}, 1, "late"), Code::conflict);
  EXPECT_CODE(commit({.gateway = 8, .sequence = 1}, 1, "late"), Code::conflict);
  // One without an id keeps what is remembered.
  EXPECT_EQ(this->put("a", live(4, this->in(1000), "4")).value(), 4u);
  EXPECT_EQ(commit({.gateway = 7, .sequence = (1ull << 53) - 1}, 4, "5").value(), 5u);
  EXPECT_EQ(commit({.gateway = 7, .sequence = (1ull << 53) - 2}, 4, "again").value(), 5u);
  EXPECT_EQ(this->loaded("a")->value, "5");
}

TYPED_TEST_P(StoreRepeats, ARecordRemembersTheLastGatewaysAndWhatItBrings) {
  Record brought = live(5, this->in(1000), "moved in");
  brought.applied = {{.gateway = 3, .sequence = 30}, {.gateway = 4, .sequence = 40}};
  Batch batch = one_write("a", 0, brought);
  batch.id = {.gateway = 4, .sequence = 41};
  ASSERT_TRUE(this->commit(batch));
  brought.applied = {{.gateway = 4, .sequence = 41}, {.gateway = 3, .sequence = 30}};
  EXPECT_EQ(this->loaded("a"), brought);
  for (std::uint64_t gateway = 100; gateway < 100 + kAppliedMax; ++gateway) {
    const Revision revision = 5 + gateway - 99;
    batch = one_write("a", revision - 1, live(revision, this->in(1000)));
    batch.id = {.gateway = gateway, .sequence = 1};
    ASSERT_TRUE(this->commit(batch));
  }
  const std::vector<CommitId> applied = this->loaded("a")->applied;
  ASSERT_EQ(applied.size(), kAppliedMax);
  EXPECT_EQ(applied.front(), (CommitId{.gateway = 99 + kAppliedMax, .sequence = 1}));
  EXPECT_EQ(applied.back(), (CommitId{.gateway = 100, .sequence = 1}));
  // One that has expired is forgotten with its commits.
  this->clock_.advance(1000ms);
  batch = one_write("a", 0, live(1, this->in(1000), "anew"));
  batch.id = {.gateway = 100, .sequence = 1};
  ASSERT_TRUE(this->commit(batch));
  EXPECT_EQ(this->loaded("a")->applied, std::vector{batch.id});
}

REGISTER_TYPED_TEST_SUITE_P(StoreRepeats, ARepeatedCommitIsANoOp,
                            ARecordRemembersTheLastGatewaysAndWhatItBrings);

}  // namespace stateway::store
