// How many records a StateStore takes: part of what every one must do, like store/contract_test.h.
#pragma once

#include "store/store_fixture.h"

namespace stateway::store {

template <class Provider>
class StoreRoom : public StoreFixture<Provider> {};

/// A key that may be in one batch with others like it.
inline std::string tagged(std::string_view name) { return "the same tag " + std::string(name); }

TYPED_TEST_SUITE_P(StoreRoom);

TYPED_TEST_P(StoreRoom, AFullStoreTakesNoNewRecordsAndServesOldOnes) {
  this->open(2);
  ASSERT_TRUE(this->put(tagged("a"), live(1, this->in(1000))));
  ASSERT_TRUE(this->put(tagged("b"), live(1, this->in(2000))));
  EXPECT_CODE(this->put(tagged("c"), live(1, this->in(1000))), Code::sessions_full);
  EXPECT_TRUE(this->put(tagged("a"), live(2, this->in(1000))));
  EXPECT_TRUE(this->commit({{.key = tagged("b"), .expected = 1, .record = std::nullopt},
                            {.key = tagged("c"), .expected = 0, .record = live(1, this->in(2000))}}));
  EXPECT_EQ(this->keys({}), (Keys{tagged("a"), tagged("c")}));
  ASSERT_TRUE(this->erase(tagged("c"), 1));
  EXPECT_CODE(this->commit({{.key = tagged("d"), .expected = 0, .record = live(1, this->in(1000))},
                            {.key = tagged("e"), .expected = 0, .record = live(1, this->in(1000))}}),
              Code::sessions_full);
  EXPECT_TRUE(this->put(tagged("d"), live(1, this->in(2000))));
  EXPECT_EQ(this->store_->stats().records, 2u);
  this->clock_.advance(1000ms);
  EXPECT_CODE(this->put(tagged("e"), live(1, this->in(1000))), Code::sessions_full);
  EXPECT_EQ(this->sweep(10), 1u);
  EXPECT_TRUE(this->put(tagged("e"), live(1, this->in(1000))));
  EXPECT_EQ(this->keys({}), (Keys{tagged("d"), tagged("e")}));
}

TYPED_TEST_P(StoreRoom, AFullStoreStillTakesEnds) {
  this->open(1);
  ASSERT_TRUE(this->put("a", live(1, this->in(1000))));
  Record tombstone = in_state(State::ended, 1, this->in(1000));
  EXPECT_TRUE(this->put("b", tombstone)) << "of a session that had no record";
  EXPECT_EQ(this->loaded("b"), tombstone);
  EXPECT_CODE(this->put("c", live(1, this->in(1000))), Code::sessions_full);
  tombstone.revision = 2;
  EXPECT_TRUE(this->put("a", tombstone));
  EXPECT_EQ(this->store_->stats().records, 2u);
}

TYPED_TEST_P(StoreRoom, EndedRecordsTakeNoRoom) {
  this->open(2);
  const auto ended = [&] { return this->store_->stats().ended; };
  for (const std::string& key : {tagged("e1"), tagged("e2"), tagged("e3"), tagged("e4")})
    ASSERT_TRUE(this->put(key, in_state(State::ended, 1, this->in(1000))));
  EXPECT_EQ(ended(), 4u);
  EXPECT_TRUE(this->put(tagged("a"), live(1, this->in(5000))));
  EXPECT_TRUE(this->put(tagged("b"), live(1, this->in(5000))));
  EXPECT_CODE(this->put(tagged("c"), live(1, this->in(5000))), Code::sessions_full);

  ASSERT_TRUE(this->put(tagged("a"), in_state(State::ended, 2, this->in(5000))));
  EXPECT_EQ(ended(), 5u);
  EXPECT_TRUE(this->put(tagged("c"), live(1, this->in(5000)))) << "an end makes room";
  EXPECT_TRUE(
      this->commit({{.key = tagged("c"), .expected = 1, .record = in_state(State::ended, 2, this->in(5000))},
                    {.key = tagged("d"), .expected = 0, .record = live(1, this->in(5000))}}));
  EXPECT_EQ(this->store_->stats().records, 8u);

  this->clock_.advance(1000ms);
  // Over ends that have expired: these took no room.
  const auto begins_as = [&](State state, const std::string& key, const std::string& in_place_of) {
    const Record record = in_state(state, 1, this->in(5000));
    EXPECT_CODE(this->put(key, record), Code::sessions_full);
    ASSERT_TRUE(this->erase(in_place_of, 1));
    EXPECT_TRUE(this->put(key, record));
  };
  begins_as(State::live, tagged("e1"), tagged("b"));
  begins_as(State::moved, tagged("e2"), tagged("d"));
  EXPECT_EQ(ended(), 4u);
  EXPECT_EQ(this->sweep(10), 2u);
  EXPECT_EQ(ended(), 2u);
  EXPECT_EQ(this->store_->stats().records, 4u);
  EXPECT_CODE(this->put(tagged("f"), live(1, this->in(5000))), Code::sessions_full);
  ASSERT_TRUE(this->erase(tagged("a"), 2));
  EXPECT_EQ(ended(), 1u);
  EXPECT_CODE(this->put(tagged("f"), live(1, this->in(5000))), Code::sessions_full);  // it took none
  ASSERT_TRUE(this->erase(tagged("e2"), 1));
  EXPECT_TRUE(this->put(tagged("f"), live(1, this->in(5000))));
}

TYPED_TEST_P(StoreRoom, SessionsMaxCanBeChangedWhileItServes) {
  this->open(1);
  ASSERT_TRUE(this->put("a", live(1, this->in(1000))));
  EXPECT_CODE(this->put("b", live(1, this->in(1000))), Code::sessions_full);
  this->store_->set_sessions_max(2);
  EXPECT_TRUE(this->put("b", live(1, this->in(1000))));
  this->store_->set_sessions_max(1);
  EXPECT_EQ(this->keys({}), (Keys{"a", "b"}));
  EXPECT_TRUE(this->put("b", live(2, this->in(1000))));
  EXPECT_CODE(this->put("c", live(1, this->in(1000))), Code::sessions_full);
}

REGISTER_TYPED_TEST_SUITE_P(StoreRoom, AFullStoreTakesNoNewRecordsAndServesOldOnes, AFullStoreStillTakesEnds,
                            EndedRecordsTakeNoRoom, SessionsMaxCanBeChangedWhileItServes);

}  // namespace stateway::store
