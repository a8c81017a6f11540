// Unsigned integers as octets, most significant first: what our own formats write.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stateway {

template <std::unsigned_integral T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

/// Takes a value off the front of `in`; false, and nothing is taken, when that is too short.
template <std::unsigned_integral T>
[[nodiscard]] bool take_big_endian(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) taken = taken << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(sizeof(T));
  value = static_cast<T>(taken);
  return true;
}

}  // namespace stateway
