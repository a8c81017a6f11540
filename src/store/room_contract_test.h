// How many records a StateStore takes: part of what every one must do, like store/contract_test.h.
#pragma once

#include "store/store_fixture.h"

namespace stateway::store {

template <class Provider>
class StoreRoom : public StoreFixture<Provider> {};

TYPED_TEST_SUITE_P(StoreRoom);

TYPED_TEST_P(StoreRoom, AFullStoreTakesNoNewRecordsAndServesOldOnes) {
  this->store_.reset();
  this->open(2);
  ASSERT_TRUE(this->put("a", live(1, this->in(1000))));
  ASSERT_TRUE(this->put("b", live(1, this->in(2000))));
  EXPECT_CODE(this->put("c", live(1, this->in(1000))), Code::sessions_full);
  EXPECT_TRUE(this->put("a", live(2, this->in(1000))));
  EXPECT_TRUE(this->commit({{.key = "b", .expected = 1, .record = std::nullopt},
                            {.key = "c", .expected = 0, .record = live(1, this->in(2000))}}));
  EXPECT_EQ(this->keys({}), (Keys{"a", "c"}));
  ASSERT_TRUE(this->erase("c", 1));
  EXPECT_CODE(this->commit({{.key = "d", .expected = 0, .record = live(1, this->in(1000))},
                            {.key = "e", .expected = 0, .record = live(1, this->in(1000))}}),
              Code::sessions_full);
  EXPECT_TRUE(this->put("d", live(1, this->in(2000))));
  EXPECT_EQ(this->store_->stats().records, 2u);
  this->clock_.advance(1000ms);
  EXPECT_CODE(this->put("e", live(1, this->in(1000))), Code::sessions_full);
  EXPECT_EQ(this->sweep(10), 1u);
  EXPECT_TRUE(this->put("e", live(1, this->in(1000))));
  EXPECT_EQ(this->keys({}), (Keys{"d", "e"}));
}

TYPED_TEST_P(StoreRoom, AFullStoreStillTakesEnds) {
  this->store_.reset();
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
  this->store_.reset();
  this->open(2);
  const auto ended = [&] { return this->store_->stats().ended; };
  for (const char* key : {"e1", "e2", "e3", "e4"})
    ASSERT_TRUE(this->put(key, in_state(State::ended, 1, this->in(1000))));
  EXPECT_EQ(ended(), 4u);
  EXPECT_TRUE(this->put("a", live(1, this->in(5000))));
  EXPECT_TRUE(this->put("b", live(1, this->in(5000))));
  EXPECT_CODE(this->put("c", live(1, this->in(5000))), Code::sessions_full);

  ASSERT_TRUE(this->put("a", in_state(State::ended, 2, this->in(5000))));
  EXPECT_EQ(ended(), 5u);
  EXPECT_TRUE(this->put("c", live(1, this->in(5000)))) << "an end makes room";
  EXPECT_TRUE(this->commit({{.key = "c", .expected = 1, .record = in_state(State::ended, 2, this->in(5000))},
                            {.key = "d", .expected = 0, .record = live(1, this->in(5000))}}));
  EXPECT_EQ(this->store_->stats().records, 8u);

  this->clock_.advance(1000ms);
  // Over ends that have expired: these took no room.
  const auto begins_as = [&](State state, const std::string& key, const std::string& in_place_of) {
    const Record record = in_state(state, 1, this->in(5000));
    EXPECT_CODE(this->put(key, record), Code::sessions_full);
    ASSERT_TRUE(this->erase(in_place_of, 1));
    EXPECT_TRUE(this->put(key, record));
  };
  begins_as(State::live, "e1", "b");
  begins_as(State::moved, "e2", "d");
  EXPECT_EQ(ended(), 4u);
  EXPECT_EQ(this->sweep(10), 2u);
  EXPECT_EQ(ended(), 2u);
  EXPECT_EQ(this->store_->stats().records, 4u);
  EXPECT_CODE(this->put("f", live(1, this->in(5000))), Code::sessions_full);
  ASSERT_TRUE(this->erase("a", 2));
  EXPECT_EQ(ended(), 1u);
  EXPECT_CODE(this->put("f", live(1, this->in(5000))), Code::sessions_full);  // it took none
  ASSERT_TRUE(this->erase("e2", 1));
  EXPECT_TRUE(this->put("f", live(1, this->in(5000))));
}

TYPED_TEST_P(StoreRoom, SessionsMaxCanBeChangedWhileItServes) {
  this->store_.reset();
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
