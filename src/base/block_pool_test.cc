#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace stateway {
namespace {

// Under the sanitizers this tests the contract; that blocks come back is seen in a build without.
TEST(BlockPool, BlocksInUseAreDistinctAndAlignedWhateverTheirSize) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                  kPooledBytesMax, kPooledBytesMax + 1}) {
    std::set<void*> seen;
    for (int round = 0; round < 2; ++round) {
      std::vector<void*> blocks;
      for (std::size_t i = 0; i < 2 * kKeptBlocksMax; ++i) {
        void* block = take_block(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u);
        std::memset(block, 0xa5, bytes);
        blocks.push_back(block);
      }
      seen = {blocks.begin(), blocks.end()};
      EXPECT_EQ(seen.size(), blocks.size());
      for (void* block : blocks) give_block(block, bytes);
    }
  }
}

}  // namespace
}  // namespace stateway
