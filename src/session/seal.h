// Sealed text: what a client keeps and can neither read nor change. docs/formats/sealed-cookie.md has the
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"

namespace stateway::session {

using KeyId = std::uint32_t;

struct SealKey {
  static constexpr std::size_t kBytes = 32;

  KeyId id = 0;
  WallMillis created = 0;
  Secret key;  // kBytes raw octets

  bool operator==(const SealKey&) const = default;
};

/// A browser keeps no cookie whose name and value together are longer (RFC 6265 §6.1): what is, we never
/// made.
inline constexpr std::size_t kCookieBytesMax = 4096;

/// Characters of the sealed text for so many octets of contents.
constexpr std::size_t sealed_size(std::size_t contents_bytes) {
  constexpr std::size_t kVersion = 1, kId = 4, kNonce = 24, kTag = 16;
  return ((kVersion + kId + kNonce + contents_bytes + kTag) * 4 + 2) / 3;
}

/// Encrypts and authenticates `contents` (XChaCha20-Poly1305) for the cookie of that name alone. The result
/// is base64url: it may stand in a cookie, and holds no '.', so it is no ticket. Any thread.
std::string seal(const SealKey& key, std::string_view cookie_name, std::string_view contents, Random& random);

/// Which key opens `text`; nullopt when it is no sealed text of this format at all.
std::optional<KeyId> sealing_key_id(std::string_view text);

/// The contents; nullopt unless every bit is as this key sealed it for this cookie name. Any thread.
std::optional<std::string> unseal(const SealKey& key, std::string_view cookie_name, std::string_view text);

}  // namespace stateway::session
