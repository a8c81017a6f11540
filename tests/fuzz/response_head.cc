// Response heads and their framing.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/framing.h"
#include "http/h1_parser.h"
#include "http/websocket.h"
#include "http/writer.h"

using namespace stateway;
using namespace stateway::http;

namespace {

constexpr HeadLimits kLimits{.head_bytes_max = 4096, .fields_max = 32};
constexpr std::size_t kPrefixesBytesMax = 400;  // trying every prefix costs the square of the size

bool is_incomplete(const Result<std::size_t>& r) { return !r && r.error().code == Code::incomplete; }

// What a prefix is told must agree with what the whole is told.
void check_prefixes(std::string_view input, const Result<std::size_t>& whole) {
  ResponseHead head;
  for (std::size_t n = 1; n <= input.size(); ++n) {
    const std::string_view prefix = input.substr(0, n);
    const auto parsed = parse_response_head(prefix, kLimits, head);
    if (!check_partial_response_head(prefix, kLimits)) CHECK(!parsed);
    if (parsed) CHECK(whole && *parsed == *whole);
    if (!parsed && !is_incomplete(parsed)) CHECK(!whole && whole.error().code == parsed.error().code);
    if (!is_incomplete(parsed)) return;
  }
  CHECK(is_incomplete(whole));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ResponseHead head;
  const auto parsed = parse_response_head(input, kLimits, head);
  if (!check_partial_response_head(input, kLimits)) CHECK(!parsed || size > kLimits.head_bytes_max);
  if (size <= kPrefixesBytesMax && size > 0) check_prefixes(input, parsed);
  if (!parsed) {
    // Whoever waits for an end that never comes would wait for ever.
    if (parsed.error().code == Code::incomplete) CHECK(find_head_end(input, 0) == kNoHeadEnd);
    return 0;
  }
  CHECK(*parsed <= size && *parsed <= kLimits.head_bytes_max && head.fields.size() <= kLimits.fields_max);
  CHECK(find_head_end(input, 0) == *parsed);
  CHECK(head.status >= 100 && head.status <= 999);

  std::string out;
  append_status_line(out, head.status, head.reason);
  for (const Field& f : head.fields) append_field(out, f);
  end_head(out);
  ResponseHead again;
  const auto reparsed = parse_response_head(out, {.head_bytes_max = out.size()}, again);
  CHECK(reparsed && *reparsed == out.size());
  CHECK(again.status == head.status && again.reason == head.reason);
  CHECK(again.fields.size() == head.fields.size());

  const auto framing = response_framing(head, Method::get);
  const auto to_head = response_framing(head, Method::head);
  CHECK(framing.has_value() == to_head.has_value());
  if (to_head) CHECK(to_head->kind == Framing::Kind::none);
  if (accepts_websocket(head, "dGhlIHNhbXBsZSBub25jZQ==")) CHECK(head.status == 101);
  return 0;
}
