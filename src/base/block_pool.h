// Memory for what every exchange needs again and again: coroutine frames and read buffers. The general
// allocator takes its slow path for many of their sizes, and an exchange needs some thirty of them.
#pragma once

#include <cstddef>

namespace stateway {

/// A block of at least `bytes` octets, aligned for any ordinary object: one that this thread gave back, or a
/// new one. Aborts when there is no memory. Any thread.
void* take_block(std::size_t bytes);
/// Gives it back, on any thread, with the size it was taken with. A thread keeps a bounded number of each
/// size (kKeptBlocksMax). Under a sanitizer nothing is kept, so that use after free is seen.
void give_block(void* block, std::size_t bytes) noexcept;

/// Blocks up to this size are kept …
inline constexpr std::size_t kPooledBytesMax = 4096;
/// … and so many of each size (a multiple of 64) per thread: enough for what a hundred exchanges take and
/// give back in one turn of a loop.
inline constexpr std::size_t kKeptBlocksMax = 128;

}  // namespace stateway
