// What comes as a sealed cookie, what it holds, and what stands in a key file.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"
#include "session/key_set.h"
#include "session/seal.h"
#include "session/sealed_session.h"

using namespace stateway;

namespace {

const session::SealKey kKey{0x01020304, 0, Secret(std::string(session::SealKey::kBytes, 'k'))};

// Nobody without the key makes a text that opens, whatever the header says.
void open_as_cookie(std::string_view input) {
  const auto id = session::sealing_key_id(input);
  const auto opened = session::unseal(kKey, "shop", input);
  if (opened) CHECK(id == kKey.id && input.size() == session::sealed_size(opened->size()));
  if (id) CHECK(input.size() >= session::sealed_size(0) && input.size() <= session::kCookieBytesMax);
}

// What only a gateway can have sealed; a bug there must not become one here.
void decode_contents(std::string_view input) {
  if (const auto held = session::decode_sealed(input)) {
    CHECK(session::encode_sealed(*held) == input);
    CHECK(held->created >= 0 && held->absolute_expires >= 0 && held->sealed_at >= 0 &&
          held->idle_expires >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  open_as_cookie(input);
  decode_contents(input);
  // The same octets behind a good front: the fuzzer need not find base64url by itself.
  open_as_cookie(base64url_encode(as_bytes(std::string("\x01\x01\x02\x03\x04", 5) + std::string(input))));
  SeededRandom random(size);
  if (const std::string sealed = session::seal(kKey, "shop", input, random);
      sealed.size() <= session::kCookieBytesMax)
    CHECK(session::unseal(kKey, "shop", sealed) == input);
  if (const auto keys = session::KeySet::parse(input)) {
    const auto again = session::KeySet::parse(keys->text());
    CHECK(again && *again == *keys && !keys->keys().empty());
    CHECK(keys->find(keys->sealing(0).id) != nullptr);
  }
  return 0;
}
