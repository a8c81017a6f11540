#include <gtest/gtest.h>

#include "base/log.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  stateway::log::start(stateway::log::Format::text, stateway::log::Level::error);  // faults are no news here
  const int failed = RUN_ALL_TESTS();
  stateway::log::flush();
  return failed;
}
