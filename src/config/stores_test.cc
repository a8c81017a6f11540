#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_describe.h"
#include "config/test_files.h"
#include "config/test_stores.h"

namespace stateway::config {
namespace {

TEST(Stores, OnOtherMachinesAreRead) {
  const auto to = parse(kStoreElsewhere, "F", test_sources());
  ASSERT_TRUE(to) << to_string(to.error().front());
  EXPECT_THAT(
      describe(*to),
      testing::HasSubstr("store kind=2 path=var/state durability=0 memory=939524096 sessions=1000000\n"
                         "  url=rediss://:s3cret value@cache:6380/2 timeout=500 connections=2 "
                         "ca=/srv/ca.pem replicas=1 outage=1 journal=/srv/journal max=2097152 "
                         "known=1048576 conflict=1\n"
                         "previous kind=0 path=/srv/state url=\n"));
  EXPECT_EQ(to->previous_store->durability, store::Durability::os);
  EXPECT_EQ(to->previous_store->memory_bytes_max, 1u << 20);
  for (const Setting& setting : to->settings)
    EXPECT_THAT(setting.value, testing::Not(testing::HasSubstr("s3cret")));
  const auto from = parse(kStoreFromElsewhere, "F", test_sources());
  ASSERT_TRUE(from) << to_string(from.error().front());
  EXPECT_THAT(describe(*from), testing::HasSubstr("previous kind=3 path=var/state url=postgres://u@h/d\n"));
  EXPECT_EQ(from->previous_store->timeout, 1s);
  EXPECT_EQ(from->previous_store->connections, 3u);
  EXPECT_EQ(from->previous_store->ca_file, "c");
}

}  // namespace
}  // namespace stateway::config
