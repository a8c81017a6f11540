#include "session/seal.h"

#include <sodium.h>

#include <array>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/check.h"

namespace stateway::session {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHeadBytes = 1 + sizeof(KeyId);
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == SealKey::kBytes);
static_assert(sealed_size(0) == ((kHeadBytes + kNonceBytes + kTagBytes) * 4 + 2) / 3);

// Chooses the fastest code for this processor. Once; thread-safe.
void start_sodium() {
  static const int started = sodium_init();
  CHECK(started >= 0);
}

// What is authenticated beside the contents: format and place. A text sealed for one cookie opens no other.
std::string bound_to(std::string_view cookie_name) {
  std::string out = "stateway sealed cookie ";
  out.push_back(kVersion);
  out.append(cookie_name);
  return out;
}

const unsigned char* octets(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* octets(std::string& s, std::size_t at) {
  return reinterpret_cast<unsigned char*>(s.data() + at);
}

}  // namespace

std::string seal(const SealKey& key, std::string_view cookie_name, std::string_view contents,
                 Random& random) {
  CHECK(key.key.reveal().size() == SealKey::kBytes);
  start_sodium();
  std::string out;
  out.push_back(kVersion);
  append_big_endian(out, key.id);
  out.resize(kHeadBytes + kNonceBytes + contents.size() + kTagBytes);
  // 192 random bits: no two nonces of one key are alike, whoever draws them.
  const std::span nonce(out.data() + kHeadBytes, kNonceBytes);
  random.fill(std::as_writable_bytes(nonce));
  const std::string bound = bound_to(cookie_name);
  crypto_aead_xchacha20poly1305_ietf_encrypt(octets(out, kHeadBytes + kNonceBytes), nullptr, octets(contents),
                                             contents.size(), octets(bound), bound.size(), nullptr,
                                             octets(out, kHeadBytes), octets(key.key.reveal()));
  return base64url_encode(as_bytes(out));
}

std::optional<KeyId> sealing_key_id(std::string_view text) {
  if (text.size() < sealed_size(0) || text.size() > kCookieBytesMax) return std::nullopt;
  constexpr std::size_t kWholeGroups = 8;  // characters that hold the head and one octet more
  static_assert(kWholeGroups * 3 / 4 > kHeadBytes);
  const auto front = base64url_decode(text.substr(0, kWholeGroups));
  if (!front || front->front() != kVersion) return std::nullopt;
  std::string_view rest = std::string_view(*front).substr(1);
  KeyId id = 0;
  if (!take_big_endian(rest, id)) return std::nullopt;
  return id;
}

std::optional<std::string> unseal(const SealKey& key, std::string_view cookie_name, std::string_view text) {
  CHECK(key.key.reveal().size() == SealKey::kBytes);
  start_sodium();
  if (sealing_key_id(text) != key.id) return std::nullopt;
  const auto sealed = base64url_decode(text);
  if (!sealed || sealed->size() < kHeadBytes + kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = std::string_view(*sealed).substr(kHeadBytes, kNonceBytes);
  const std::string_view box = std::string_view(*sealed).substr(kHeadBytes + kNonceBytes);
  const std::string bound = bound_to(cookie_name);
  std::string contents(box.size() - kTagBytes, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      octets(contents, 0), nullptr, nullptr, octets(box), box.size(), octets(bound), bound.size(),
      octets(nonce), octets(key.key.reveal()));
  if (opened != 0) return std::nullopt;
  return contents;
}

}  // namespace stateway::session
