// Strict HTTP/1 heads (RFC 9112): what two parsers could read differently is refused, not repaired.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace stateway::http {

struct HeadLimits {
  std::size_t head_bytes_max = 16 * 1024;   // start line to empty line, ends of lines included
  std::size_t target_bytes_max = 8 * 1024;  // requests only
  std::size_t fields_max = 100;
};

inline constexpr std::size_t kNoHeadEnd = std::string_view::npos;

/// Where the head at the front of `input` ends: just behind its empty line; kNoHeadEnd when that has not come
/// yet. `from` is the size `input` had at the last call (0 at first), so that a peer that sends octet by
/// octet costs O(n) in all. Ends of bare LF are found too: the parsers then refuse them at once instead of
/// waiting for more.
///
/// A reader calls this after each read; found → parse_*_head; else → check_partial_*_head and read on.
std::size_t find_head_end(std::string_view input, std::size_t from);

/// Parses one request head from the front of `input` into `out`, which is cleared first.
/// Returns the octets consumed, or Code::incomplete when more input may still help; a mistake in the part
/// that is there is reported at once. Errors, Side::client: bad_request_line (not a token, blanks other than
/// two single SP, a target octet outside 0x21–0x7e, bare CR or LF), version_unsupported (neither 1.0
/// nor 1.1), target_too_long (limits.target_bytes_max, octets), bad_field (bare CR or LF, NUL or another
/// control, obs-fold, blank before the colon, name empty or not a token), head_too_large
/// (limits.head_bytes_max, octets; limits.fields_max). Up to two empty lines before the request line are
/// skipped (RFC 9112 §2.2). The head's views point into `input` and die with it. Pure; any thread. RFC 9112
/// §3, §5.
Result<std::size_t> parse_request_head(std::string_view input, const HeadLimits& limits, RequestHead& out);

/// The same for a response. Errors, Side::upstream: bad_status_line, version_unsupported, bad_field,
/// head_too_large. The blank before an empty reason may be missing, as many services send it. RFC 9112 §4,
/// §5.
Result<std::size_t> parse_response_head(std::string_view input, const HeadLimits& limits, ResponseHead& out);

/// For a head whose end has not come: fails as the parser would for its size and its first line, so that
/// garbage and oversized heads are refused while they arrive. Costs a scan of the first line at most.
Result<void> check_partial_request_head(std::string_view input, const HeadLimits& limits);
Result<void> check_partial_response_head(std::string_view input, const HeadLimits& limits);

/// One line of a field section, its end included: either empty, or one field.
struct FieldLine {
  std::string_view name;  // empty at the section's end
  std::string_view value;
  std::size_t consumed = 0;
};

/// Parses the line at the front of `input` as the head parsers do; also used for trailers.
/// Errors: incomplete, bad_field (of `side`).
Result<FieldLine> parse_field_line(std::string_view input, Side side);

}  // namespace stateway::http
