#include "base/block_pool.h"

#include <array>
#include <cstdint>
#include <new>

namespace stateway {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeeps = false;
#elif defined(__has_feature)
constexpr bool kKeeps = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kKeeps = true;
#endif

constexpr std::size_t kStep = 64;

struct Free {
  Free* next;
};

struct Shelf {
  Free* first = nullptr;
  std::uint32_t count = 0;
};

// Without a destructor, so that access needs no guard. The program's threads end with it.
constinit thread_local std::array<Shelf, kPooledBytesMax / kStep> shelves{};

constexpr std::size_t shelf_of(std::size_t bytes) { return (bytes - 1) / kStep; }

}  // namespace

void* take_block(std::size_t bytes) {
  if (!kKeeps || bytes - 1 >= kPooledBytesMax) return ::operator new(bytes);
  const std::size_t index = shelf_of(bytes);
  Shelf& shelf = shelves[index];
  if (shelf.first == nullptr) return ::operator new((index + 1) * kStep);
  Free* block = shelf.first;
  shelf.first = block->next;
  --shelf.count;
  return block;
}

void give_block(void* block, std::size_t bytes) noexcept {
  if (!kKeeps || bytes - 1 >= kPooledBytesMax) {
    ::operator delete(block);
    return;
  }
  const std::size_t index = shelf_of(bytes);
  Shelf& shelf = shelves[index];
  if (shelf.count >= kKeptBlocksMax) {
    ::operator delete(block);
    return;
  }
  shelf.first = new (block) Free{shelf.first};
  ++shelf.count;
}

}  // namespace stateway
