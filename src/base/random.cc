#include "base/random.h"

#include <pthread.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace stateway {
namespace {

struct ReadAhead {
  std::array<std::byte, 1024> bytes;
  std::size_t used = sizeof(bytes);
};
thread_local ReadAhead read_ahead;

void read_system(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = getrandom(out.data() + done, out.size() - done, 0);
    if (n < 0 && errno == EINTR) continue;
    CHECK(n > 0);
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

void SystemRandom::fill(std::span<std::byte> out) {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { read_ahead.used = sizeof(read_ahead.bytes); });
  CHECK(registered == 0);
  if (out.size() > sizeof(read_ahead.bytes)) return read_system(out);
  if (sizeof(read_ahead.bytes) - read_ahead.used < out.size()) {
    read_system(read_ahead.bytes);
    read_ahead.used = 0;
  }
  std::byte* from = read_ahead.bytes.data() + read_ahead.used;
  std::memcpy(out.data(), from, out.size());
  std::memset(from, 0, out.size());
  read_ahead.used += out.size();
}

SeededRandom::SeededRandom(std::uint64_t seed) {
  for (auto& s : state_) {  // splitmix64
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    s = z ^ (z >> 31);
  }
}

std::uint64_t SeededRandom::next() {
  const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  const std::uint64_t result = rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    const std::uint64_t v = next();
    std::memcpy(out.data() + i, &v, std::min<std::size_t>(8, out.size() - i));
  }
}

}  // namespace stateway
