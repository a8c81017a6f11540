// What the Leases of a store that several gateways share must do. Their time is the store's: `ttl` is real.
#pragma once

#include "store/store_fixture.h"

namespace stateway::store {

template <class Provider>
class StoreLeases : public StoreFixture<Provider> {
 protected:
  std::uint64_t take(std::string key, Duration ttl = 60s) {
    const auto taken = this->loop_.run(
        [this, key, ttl](io::Loop& loop) { return this->store_->leases()->take(loop, key, ttl); });
    EXPECT_TRUE(taken.has_value());
    EXPECT_LE(taken.value_or(0), Leases::kTokenMax);
    return taken.value_or(0);
  }
  void give_back(std::string key, std::uint64_t token) {
    this->loop_.run([this, key, token](io::Loop& loop) {
      return give_back_on(loop, *this->store_->leases(), key, token);
    });
  }
  void extend(std::string key, std::uint64_t token, Duration ttl) {
    this->loop_.run([this, key, token, ttl](io::Loop& loop) {
      return extend_on(loop, *this->store_->leases(), key, token, ttl);
    });
  }
  Result<Revision> commit_with(std::uint64_t lease, Revision revision) {
    Batch batch = one_write("a", revision - 1, live(revision, this->in(60'000)));
    batch.lease = lease;
    return this->commit(std::move(batch));
  }

 private:
  static io::Task<bool> give_back_on(io::Loop& loop, Leases& leases, std::string key, std::uint64_t token) {
    leases.give_back(loop, key, token);
    co_return true;
  }
  static io::Task<bool> extend_on(io::Loop& loop, Leases& leases, std::string key, std::uint64_t token,
                                  Duration ttl) {
    leases.extend(loop, key, token, ttl);
    co_return true;
  }
};

TYPED_TEST_SUITE_P(StoreLeases);

TYPED_TEST_P(StoreLeases, OneHoldsIt) {
  const std::uint64_t first = this->take("a");
  EXPECT_NE(first, 0u);
  EXPECT_EQ(this->take("a"), 0u);
  EXPECT_NE(this->take("b"), 0u) << "another key's";
  this->give_back("a", first + 1);
  EXPECT_EQ(this->take("a"), 0u) << "whose it is not cannot give it back";
  this->give_back("a", first);
  const std::uint64_t second = this->take("a");
  EXPECT_NE(second, 0u);
  EXPECT_NE(second, first);
}

TYPED_TEST_P(StoreLeases, ACommitNeedsItAndEndsIt) {
  const std::uint64_t first = this->take("a");
  EXPECT_TRUE(this->commit_with(first, 1));
  EXPECT_CODE(this->commit_with(first, 2), Code::lease_lost);
  const std::uint64_t second = this->take("a");
  EXPECT_NE(second, 0u);
  EXPECT_CODE(this->commit_with(first, 2), Code::lease_lost);
  EXPECT_CODE(this->commit_with(second, 3), Code::conflict);
  EXPECT_EQ(this->take("a"), 0u) << "a conflict ends no lease";
  EXPECT_TRUE(this->put("a", live(2, this->in(60'000)))) << "who asks for no lease needs none";
  EXPECT_TRUE(this->commit_with(second, 3));
  EXPECT_NE(this->take("a"), 0u);
}

TYPED_TEST_P(StoreLeases, WhoSleepsTooLongHasLostIt) {
  const std::uint64_t first = this->take("a", 1ms);
  EXPECT_NE(first, 0u);
  std::uint64_t second = 0;
  while (second == 0) {
    this->clock_.advance(1ms);  // for stores whose time that is
    second = this->take("a");
  }
  this->extend("a", first, 60s);
  this->give_back("a", first);
  EXPECT_CODE(this->commit_with(first, 1), Code::lease_lost);
  EXPECT_EQ(this->loaded("a"), std::nullopt);
  EXPECT_TRUE(this->commit_with(second, 1));
}

TYPED_TEST_P(StoreLeases, ExtendingKeepsIt) {
  const std::uint64_t token = this->take("a", 10s);
  this->extend("a", token, 120s);
  this->clock_.advance(60s);
  EXPECT_EQ(this->take("a"), 0u);
  EXPECT_TRUE(this->commit_with(token, 1));
}

REGISTER_TYPED_TEST_SUITE_P(StoreLeases, OneHoldsIt, ACommitNeedsItAndEndsIt, WhoSleepsTooLongHasLostIt,
                            ExtendingKeepsIt);

}  // namespace stateway::store
