// Request heads, and all that is decided from them before a request is routed.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/authority.h"
#include "http/cookies.h"
#include "http/forwarding.h"
#include "http/framing.h"
#include "http/h1_parser.h"
#include "http/target.h"
#include "http/websocket.h"
#include "http/writer.h"

using namespace stateway;
using namespace stateway::http;

namespace {

constexpr HeadLimits kLimits{.head_bytes_max = 4096, .target_bytes_max = 1024, .fields_max = 32};
constexpr std::size_t kPrefixesBytesMax = 400;  // trying every prefix costs the square of the size

bool is_incomplete(const Result<std::size_t>& r) { return !r && r.error().code == Code::incomplete; }

// What a prefix is told must agree with what the whole is told.
void check_prefixes(std::string_view input, const Result<std::size_t>& whole) {
  RequestHead head;
  std::size_t end = kNoHeadEnd;
  for (std::size_t n = 1; n <= input.size(); ++n) {
    const std::string_view prefix = input.substr(0, n);
    if (end == kNoHeadEnd) end = find_head_end(prefix, n - 1);
    const auto parsed = parse_request_head(prefix, kLimits, head);
    if (parsed) CHECK(whole && *parsed == *whole && end == *parsed);
    if (!parsed && !is_incomplete(parsed)) CHECK(!whole && whole.error().code == parsed.error().code);
    if (!check_partial_request_head(prefix, kLimits)) CHECK(!parsed);
    // Whoever waits for an end that never comes would wait for ever.
    if (is_incomplete(parsed)) CHECK(end == kNoHeadEnd);
    if (!is_incomplete(parsed)) return;
  }
  CHECK(is_incomplete(whole));
}

// A head that was accepted, written and parsed again is the same head: nothing in it can break out of its
// place.
void check_round_trip(const RequestHead& head) {
  std::string out;
  append_request_line(out, head.method_text, head.target);
  for (const Field& f : head.fields) append_field(out, f);
  end_head(out);
  RequestHead again;
  const auto parsed = parse_request_head(out, {}, again);
  CHECK(parsed && *parsed == out.size());
  CHECK(again.method_text == head.method_text && again.target == head.target);
  CHECK(again.fields.size() == head.fields.size());
  for (auto a = head.fields.begin(), b = again.fields.begin(); a != head.fields.end(); ++a, ++b)
    CHECK(a->name == b->name && a->value == b->value && a->id == b->id);
}

void check_target(const RequestHead& head) {
  const auto target = parse_target(head.method, head.target);
  if (!target) return;
  if (const auto host = effective_host(head, target->authority); host && !host->empty())
    CHECK(is_valid_authority(*host));
  if (target->form == Target::Form::authority || target->form == Target::Form::asterisk) return;
  const std::string path(target->path());
  CHECK(path.starts_with('/') && !path.ends_with("/..") && path.find("/../") == std::string::npos);
  CHECK(path.find("/./") == std::string::npos && path.find("%2e") == std::string::npos);
  const auto again = parse_target(Method::get, path);
  CHECK(again && again->path() == path && (target->odd_slash || !again->odd_slash));
}

void check_forwarding(const RequestHead& head) {
  const std::string_view own[] = {"shop", "__Host-shop"};
  const std::string cookies = without(head.fields, own);
  CHECK(is_valid_field_value(cookies));
  Fields kept;
  kept.add("Cookie", cookies);
  for (const std::string_view name : own) CHECK(find_all(kept, name).count == 0);

  std::string out = "GET / HTTP/1.1\r\n";
  const HopByHop hop_by_hop(head.fields);
  for (const Field& f : head.fields) {
    if (f.id == FieldId::stateway || f.id == FieldId::host) CHECK(!hop_by_hop.drops(f));
    if (!hop_by_hop.drops(f) && !is_rewritten(f.id, true)) append_field(out, f);
  }
  append_via(out, head.fields, head.minor);
  const auto host = effective_host(head, {});
  append_forwarded(out, head.fields,
                   {.client_address = "::1", .host = host ? *host : "", .proto = "http", .trusted = true});
  end_head(out);
  RequestHead again;
  const auto parsed = parse_request_head(out, {.head_bytes_max = out.size()}, again);
  CHECK(parsed && *parsed == out.size());
  CHECK(again.fields.count(FieldId::via) == 1 && again.fields.count(FieldId::forwarded) == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  const auto whole = parse_request_head(input, kLimits, head);
  if (size <= kPrefixesBytesMax) check_prefixes(input, whole);
  if (!whole) return 0;
  CHECK(*whole <= size && *whole <= kLimits.head_bytes_max && head.fields.size() <= kLimits.fields_max);
  check_round_trip(head);
  check_target(head);
  check_forwarding(head);
  const auto framing = request_framing(head);
  if (framing && is_websocket_upgrade(head))
    CHECK(framing->kind != Framing::Kind::chunked && framing->length == 0);
  return 0;
}
