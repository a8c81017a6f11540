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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{.head_bytes_max = 4096, .fields_max = 32};
  ResponseHead head;
  const auto parsed = parse_response_head(input, limits, head);
  if (!check_partial_response_head(input, limits)) CHECK(!parsed || size > limits.head_bytes_max);
  if (!parsed) {
    // Whoever waits for an end that never comes would wait for ever.
    if (parsed.error().code == Code::incomplete) CHECK(find_head_end(input, 0) == kNoHeadEnd);
    return 0;
  }
  CHECK(*parsed <= size && *parsed <= limits.head_bytes_max && head.fields.size() <= limits.fields_max);
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
