// Randomness comes in by constructor: the system's for secrets, a seeded one in tests and the simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stateway {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills `out`. Never fails (CHECKs). Thread-safe in SystemRandom, not in SeededRandom.
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64() {
    std::uint64_t v;
    fill(std::as_writable_bytes(std::span(&v, 1)));
    return v;
  }
  /// Uniform in [0, bound); bound > 0. The bias of the multiply is below 2^-32 for bounds under 2^32.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(u64()) * bound) >> 64);
  }
};

/// getrandom(2), read ahead per thread so that an exchange costs no syscall; bytes are wiped as they are
/// handed out, and a fork starts with an empty buffer.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

/// Reproducible, for tests: xoshiro256**, not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::byte> out) override;

 private:
  std::uint64_t next();
  std::uint64_t state_[4];
};

}  // namespace stateway
