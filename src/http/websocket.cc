#include "http/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "http/framing.h"
#include "http/octets.h"

namespace stateway::http {
namespace {

bool is_one(const Fields& fields, FieldId id, std::string_view value) {
  return fields.count(id) == 1 && equals_ignoring_case(fields.value_of(id), value);
}

bool is_key(std::string_view key) {
  const auto is_base64 = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; };
  return key.size() == 24 && key.ends_with("==") && std::ranges::all_of(key.substr(0, 22), is_base64);
}

bool upgrades(const Fields& fields) {
  return is_one(fields, FieldId::upgrade, "websocket") && has_connection_option(fields, "upgrade");
}

}  // namespace

bool is_websocket_upgrade(const RequestHead& head) {
  const Fields& fields = head.fields;
  return head.method == Method::get && head.minor == 1 && upgrades(fields) &&
         is_one(fields, FieldId::sec_websocket_version, "13") &&
         fields.count(FieldId::sec_websocket_key) == 1 &&
         is_key(fields.value_of(FieldId::sec_websocket_key)) &&
         // With a body, the octets behind the head would mean one thing to us and another to the instance.
         !fields.has(FieldId::transfer_encoding) &&
         (!fields.has(FieldId::content_length) || is_one(fields, FieldId::content_length, "0"));
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key).append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1> base64;  // EVP_EncodeBlock adds a NUL
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), SHA_DIGEST_LENGTH);
  return std::string(base64.begin(), base64.begin() + size);
}

bool accepts_websocket(const ResponseHead& head, std::string_view key) {
  return head.status == 101 && head.minor == 1 && upgrades(head.fields) &&
         head.fields.count(FieldId::sec_websocket_accept) == 1 &&
         head.fields.value_of(FieldId::sec_websocket_accept) == websocket_accept(key);
}

}  // namespace stateway::http
