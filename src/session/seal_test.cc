#include "session/seal.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace stateway::session {
namespace {

SealKey key(KeyId id, char fill) { return {id, 0, Secret(std::string(SealKey::kBytes, fill))}; }

const SealKey kKey = key(0x01020304, 'k');

TEST(Seal, OpensWhatItSealed) {
  SystemRandom random;
  for (const std::size_t size : {0, 1, 2, 3, 61, 3000}) {
    const std::string contents(size, 'c');
    const std::string text = seal(kKey, "shop", contents, random);
    EXPECT_EQ(text.size(), sealed_size(size));
    EXPECT_EQ(sealing_key_id(text), kKey.id);
    EXPECT_EQ(unseal(kKey, "shop", text), contents);
    EXPECT_EQ(text.find("cccccccccccc"), std::string::npos);
  }
}

TEST(Seal, IsWrittenAsItsFormatSays) {
  SeededRandom random(1);
  const std::string text = seal(kKey, "shop", "contents", random);
  const std::string octets = *base64url_decode(text);
  EXPECT_EQ(octets.substr(0, 5), std::string("\x01\x01\x02\x03\x04", 5));
  SeededRandom same(1);
  std::string nonce(24, '\0');
  same.fill(std::as_writable_bytes(std::span(nonce)));
  EXPECT_EQ(octets.substr(5, 24), nonce);
  EXPECT_EQ(octets.size(), 5 + 24 + 8 + 16u);
  // Fixed for ever: cookies of one release must open in the next.
  EXPECT_EQ(text, "AQECAwTFEMcPba_ys-pMNkeWVTuFFEUqCFaX-JL6heH6VO_TcIw2PkRbb5vnugp4j5F4b7k");
}

TEST(Seal, TwoSealingsOfOneThingDiffer) {
  SystemRandom random;
  EXPECT_NE(seal(kKey, "shop", "x", random), seal(kKey, "shop", "x", random));
}

TEST(Seal, OpensForItsCookieAndUnderItsKeyOnly) {
  SystemRandom random;
  const std::string text = seal(kKey, "shop", "contents", random);
  for (const char* other : {"", "shop2", "sho", "Shop", "__Host-shop"})
    EXPECT_EQ(unseal(kKey, other, text), std::nullopt) << other;
  EXPECT_EQ(unseal(key(kKey.id, 'x'), "shop", text), std::nullopt) << "the same id, another key";
  EXPECT_EQ(unseal(key(kKey.id + 1, 'k'), "shop", text), std::nullopt) << "the same key, another id";
}

TEST(Seal, EveryChangedCharacterIsNoticed) {
  SystemRandom random;
  const std::string text = seal(kKey, "shop", "contents", random);
  for (std::size_t i = 0; i < text.size(); ++i)
    for (const char c : {'A', 'B', '_', '=', '.', ' ', '\0'}) {
      std::string changed = text;
      changed[i] = c;
      if (changed != text) EXPECT_EQ(unseal(kKey, "shop", changed), std::nullopt) << i;
    }
}

TEST(Seal, CutAndLengthenedTextsAreNothing) {
  SystemRandom random;
  const std::string text = seal(kKey, "shop", "contents", random);
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_EQ(unseal(kKey, "shop", text.substr(0, n)), std::nullopt) << n;
  for (const char* more : {"A", "AA", "AAA", "AAAA", "=", "=="})
    EXPECT_EQ(unseal(kKey, "shop", text + more), std::nullopt) << more;
}

TEST(Seal, OtherVersionsAndTicketsAreNoSealedTexts) {
  SystemRandom random;
  std::string octets = *base64url_decode(seal(kKey, "shop", "contents", random));
  for (const char version : {0, 2, 127}) {
    octets[0] = version;
    const std::string text = base64url_encode(as_bytes(octets));
    EXPECT_EQ(sealing_key_id(text), std::nullopt);
    EXPECT_EQ(unseal(kKey, "shop", text), std::nullopt);
  }
  EXPECT_EQ(sealing_key_id("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA"), std::nullopt);
  EXPECT_EQ(sealing_key_id(""), std::nullopt);
}

TEST(Seal, NothingLongerThanACookieIsLookedAt) {
  SystemRandom random;
  std::size_t most = 0;
  while (sealed_size(most + 1) <= kCookieBytesMax) ++most;
  EXPECT_TRUE(unseal(kKey, "shop", seal(kKey, "shop", std::string(most, 'x'), random)));
  EXPECT_FALSE(unseal(kKey, "shop", seal(kKey, "shop", std::string(most + 1, 'x'), random)));
}

}  // namespace
}  // namespace stateway::session
