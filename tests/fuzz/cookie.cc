// Cookie fields, session cookies' values, and the records their ids lead to.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "http/cookies.h"
#include "http/octets.h"
#include "session/record.h"
#include "session/ticket.h"

using namespace stateway;

namespace {

std::vector<http::CookieReader::Pair> pairs_of(const http::Fields& fields) {
  std::vector<http::CookieReader::Pair> out;
  http::CookieReader reader(fields);
  for (http::CookieReader::Pair pair; reader.next(pair);) out.push_back(pair);
  return out;
}

bool same_text(const http::CookieReader::Pair& a, const http::CookieReader::Pair& b) {
  return a.text == b.text && a.name == b.name && a.value == b.value;
}

// What is taken out is gone, and nothing else is.
void check_without(const http::Fields& fields, const std::vector<http::CookieReader::Pair>& pairs,
                   std::string_view name) {
  std::vector<http::CookieReader::Pair> others;
  std::ranges::copy_if(pairs, std::back_inserter(others), [&](const auto& p) { return p.name != name; });
  const std::string text = http::without(fields, std::span(&name, 1));
  CHECK(http::is_valid_field_value(text));
  http::Fields kept;
  kept.add("Cookie", text);
  CHECK(std::ranges::equal(pairs_of(kept), others, same_text));

  const http::CookieValues found = http::find_all(fields, name);
  CHECK(found.count == std::min(pairs.size() - others.size(), http::kCookiesTriedMax));
  std::size_t i = 0;
  for (const auto& pair : pairs)
    if (pair.name == name && i < found.count) CHECK(found.values[i++] == pair.value);
  CHECK(i == found.count);
}

// Each line is the value of one Cookie field.
void check_cookies(std::string_view input) {
  http::Fields fields;
  for (std::size_t at = 0; at < input.size() && fields.size() < 8;) {
    const std::size_t end = std::min(input.find('\n', at), input.size());
    const std::string_view line = trim_ows(input.substr(at, end - at));
    if (!http::is_valid_field_value(line)) return;
    fields.add("Cookie", line);
    at = end + 1;
  }
  const auto pairs = pairs_of(fields);
  check_without(fields, pairs, "shop");
  constexpr std::size_t kNamesMax = 8;  // each costs a walk over all
  for (std::size_t i = 0; i < pairs.size() && i < kNamesMax; ++i) {
    const auto& pair = pairs[i];
    CHECK(!pair.text.empty() && !pair.text.contains(';') && !pair.name.contains('='));
    check_without(fields, pairs, pair.name);
    if (!http::is_cookie_value(pair.value)) continue;
    // A value we set comes back as it was.
    const std::string set = http::set_cookie({.name = "shop", .value = pair.value});
    http::Fields back;
    back.add("Cookie", std::string_view(set).substr(0, set.find(';')));
    const http::CookieValues found = http::find_all(back, "shop");
    CHECK(found.count == 1 && found.values[0] == pair.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // A ticket has one spelling only.
  if (const auto ticket = session::parse_ticket(input)) {
    CHECK(ticket->text() == input && input.starts_with(ticket->id_text()));
    CHECK(base64url_encode(as_bytes(ticket->id())) == ticket->id_text());
    CHECK(session::secret_hash(*ticket).size() == 32);
  }
  if (const auto record = session::decode_record(input)) CHECK(session::encode_record(*record) == input);
  check_cookies(input);
  return 0;
}
