#include "http/message.h"

#include <array>
#include <cstring>

#include "base/bytes.h"

namespace stateway::http {
namespace {

constexpr std::size_t kNameMax = 32;

// A known name and, for each octet, which bit case folding may ignore: 0x20 for letters, 0 for the rest.
// Comparing `octet | fold == text` is then exact for every octet, so that no control octet can pass for a
// hyphen.
struct Known {
  std::array<char, kNameMax> text{};
  std::array<char, kNameMax> fold{};
  std::uint8_t size = 0;
  FieldId id = FieldId::other;
};

constexpr Known known(std::string_view name, FieldId id) {
  Known k;
  for (std::size_t i = 0; i < name.size(); ++i) {
    k.text[i] = name[i];
    k.fold[i] = name[i] >= 'a' && name[i] <= 'z' ? 0x20 : 0;
  }
  k.size = static_cast<std::uint8_t>(name.size());
  k.id = id;
  return k;
}

constexpr std::array kKnown = {
    known("accept", FieldId::accept),
    known("age", FieldId::age),
    known("allow", FieldId::allow),
    known("authorization", FieldId::authorization),
    known("cache-control", FieldId::cache_control),
    known("connection", FieldId::connection),
    known("content-encoding", FieldId::content_encoding),
    known("content-length", FieldId::content_length),
    known("content-range", FieldId::content_range),
    known("content-type", FieldId::content_type),
    known("cookie", FieldId::cookie),
    known("date", FieldId::date),
    known("etag", FieldId::etag),
    known("expect", FieldId::expect),
    known("forwarded", FieldId::forwarded),
    known("host", FieldId::host),
    known("http2-settings", FieldId::http2_settings),
    known("idempotency-key", FieldId::idempotency_key),
    known("keep-alive", FieldId::keep_alive),
    known("last-modified", FieldId::last_modified),
    known("location", FieldId::location),
    known("origin", FieldId::origin),
    known("proxy-authenticate", FieldId::proxy_authenticate),
    known("proxy-authentication-info", FieldId::proxy_authentication_info),
    known("proxy-authorization", FieldId::proxy_authorization),
    known("proxy-connection", FieldId::proxy_connection),
    known("range", FieldId::range),
    known("referer", FieldId::referer),
    known("retry-after", FieldId::retry_after),
    known("sec-fetch-site", FieldId::sec_fetch_site),
    known("sec-websocket-accept", FieldId::sec_websocket_accept),
    known("sec-websocket-extensions", FieldId::sec_websocket_extensions),
    known("sec-websocket-key", FieldId::sec_websocket_key),
    known("sec-websocket-protocol", FieldId::sec_websocket_protocol),
    known("sec-websocket-version", FieldId::sec_websocket_version),
    known("server", FieldId::server),
    known("set-cookie", FieldId::set_cookie),
    known("te", FieldId::te),
    known("trailer", FieldId::trailer),
    known("transfer-encoding", FieldId::transfer_encoding),
    known("upgrade", FieldId::upgrade),
    known("user-agent", FieldId::user_agent),
    known("vary", FieldId::vary),
    known("via", FieldId::via),
    known("www-authenticate", FieldId::www_authenticate),
    known("x-forwarded-for", FieldId::x_forwarded_for),
    known("x-forwarded-host", FieldId::x_forwarded_host),
    known("x-forwarded-proto", FieldId::x_forwarded_proto),
    known("x-request-id", FieldId::x_request_id),
};

// One candidate per slot: length, first and last letter tell all known names apart, which the build proves.
constexpr std::size_t kSlots = 1024;
constexpr std::uint8_t kEmpty = 0xff;

constexpr std::size_t slot_of(std::size_t size, char first, char last) {
  const auto a = static_cast<std::size_t>(static_cast<unsigned char>(first) & 0x1f);
  const auto z = static_cast<std::size_t>(static_cast<unsigned char>(last) & 0x1f);
  return (size * 37 + a * 5 + z * 131) % kSlots;
}

struct Slots {
  std::array<std::uint8_t, kSlots> index{};
  bool unique = true;
};

constexpr Slots make_slots() {
  Slots slots;
  slots.index.fill(kEmpty);
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    const Known& k = kKnown[i];
    std::uint8_t& entry = slots.index[slot_of(k.size, k.text[0], k.text[k.size - 1u])];
    slots.unique = slots.unique && entry == kEmpty;
    entry = static_cast<std::uint8_t>(i);
  }
  return slots;
}
constexpr Slots kSlotTable = make_slots();
static_assert(kSlotTable.unique, "two known field names share a slot: change slot_of");

template <class Word>
bool same_word(const char* p, const Known& k, std::size_t at) {
  Word octets, text, fold;
  std::memcpy(&octets, p + at, sizeof octets);
  std::memcpy(&text, k.text.data() + at, sizeof text);
  std::memcpy(&fold, k.fold.data() + at, sizeof fold);
  return static_cast<Word>(octets | fold) == text;
}

// The sizes are equal. The last word may overlap the one before.
bool same_name(const char* p, const Known& k) {
  const std::size_t n = k.size;
  if (n >= 8) {
    for (std::size_t at = 0; at + 8 < n; at += 8)
      if (!same_word<std::uint64_t>(p, k, at)) return false;
    return same_word<std::uint64_t>(p, k, n - 8);
  }
  if (n >= 4) return same_word<std::uint32_t>(p, k, 0) && same_word<std::uint32_t>(p, k, n - 4);
  return same_word<std::uint16_t>(p, k, 0) && same_word<std::uint16_t>(p, k, n - 2);
}

constexpr Known kStateway = known("stateway", FieldId::stateway);

constexpr bool is_separator(char c) { return c == '-' || c == '_'; }

FieldId prefixed_id(std::string_view name) {
  if (name.size() < 9) return FieldId::other;
  if (is_separator(name[8]) && same_name(name.data(), kStateway)) return FieldId::stateway;
  if (name.size() >= 12 && is_separator(name[1]) && is_separator(name[11]) && ascii_lower(name[0]) == 'x' &&
      equals_ignoring_case(name.substr(2, 9), "forwarded"))
    return FieldId::x_forwarded_other;
  return FieldId::other;
}

}  // namespace

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      if (text == "TRACE") return Method::trace;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      if (text == "CONNECT") return Method::connect;
      break;
    default:
      break;
  }
  return Method::other;
}

FieldId field_id(std::string_view name) {
  if (name.size() < 2) return FieldId::other;
  const std::uint8_t index = kSlotTable.index[slot_of(name.size(), name.front(), name.back())];
  if (index != kEmpty) {
    const Known& k = kKnown[index];
    if (k.size == name.size() && same_name(name.data(), k)) return k.id;
  }
  return prefixed_id(name);
}

const Field* Fields::find(FieldId id) const {
  if (!has(id)) return nullptr;
  for (const Field& f : fields_)
    if (f.id == id) return &f;
  return nullptr;
}

const Field* Fields::find(std::string_view name) const {
  for (const Field& f : fields_)
    if (equals_ignoring_case(f.name, name)) return &f;
  return nullptr;
}

std::string_view Fields::value_of(FieldId id) const {
  const Field* f = find(id);
  return f == nullptr ? std::string_view{} : f->value;
}

std::size_t Fields::count(FieldId id) const {
  if (!has(id)) return 0;
  std::size_t n = 0;
  for (const Field& f : fields_) n += f.id == id ? 1 : 0;
  return n;
}

void RequestHead::clear() {
  method = Method::other;
  method_text = target = {};
  minor = 1;
  fields.clear();
}

void ResponseHead::clear() {
  status = 0;
  reason = {};
  minor = 1;
  fields.clear();
}

bool next_list_member(std::string_view& rest, std::string_view& member) {
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    member = trim_ows(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (!member.empty()) return true;
  }
  return false;
}

}  // namespace stateway::http
