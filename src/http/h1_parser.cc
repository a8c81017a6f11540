#include "http/h1_parser.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "http/octets.h"

namespace stateway::http {
namespace {

constexpr std::size_t kLeadingEmptyLinesMax = 2;

std::size_t leading_empty_lines(std::string_view input) {
  std::size_t at = 0;
  while (at < 2 * kLeadingEmptyLinesMax && input.substr(at, 2) == "\r\n") at += 2;
  return at;
}

// The CRLF that must stand at `p`. `code` is what its absence means.
Result<void> expect_line_end(const char*& p, const char* end, Code code, Side side) {
  if (p == end) return fail(Code::incomplete, side);
  if (*p != '\r')
    return fail(code, side, *p == '\n' ? "line ends in a bare LF" : "the line does not end here");
  if (p + 1 == end) return fail(Code::incomplete, side);
  if (p[1] != '\n') return fail(code, side, "bare CR");
  p += 2;
  return {};
}

Result<int> parse_version(const char*& p, const char* end, Code code, Side side) {
  constexpr std::string_view kShape = "HTTP/0.0";
  const std::size_t have = std::min<std::size_t>(kShape.size(), static_cast<std::size_t>(end - p));
  for (std::size_t i = 0; i < have; ++i) {
    const bool matches = kShape[i] == '0' ? is_digit(p[i]) : p[i] == kShape[i];
    if (!matches) return fail(code, side, "no HTTP version where one must stand");
  }
  if (have < kShape.size()) return fail(Code::incomplete, side);
  const char major = p[5];
  const char minor = p[7];
  if (major != '1' || minor > '1') return fail(Code::version_unsupported, side);
  p += kShape.size();
  return minor - '0';
}

Result<void> parse_request_line(const char*& p, const char* end, const HeadLimits& limits, RequestHead& out) {
  constexpr Code kBad = Code::bad_request_line;
  if (std::string_view(p, end) == "\r") return fail(Code::incomplete, Side::client);  // half an empty line
  const char* start = p;
  while (p != end && is_token_char(*p)) ++p;
  if (p == end) return fail(Code::incomplete, Side::client);
  if (p == start || *p != ' ') return fail(kBad, Side::client, "the method is not a token and one space");
  out.method_text = std::string_view(start, p);
  out.method = method_of(out.method_text);

  start = ++p;
  const auto left = static_cast<std::size_t>(end - p);
  const char* target_stop = p + std::min(left, limits.target_bytes_max);
  while (p != target_stop && *p > ' ' && *p < 0x7f) ++p;
  if (p == end) return fail(Code::incomplete, Side::client);
  if (p == target_stop && *p > ' ' && *p < 0x7f) return fail(Code::target_too_long, Side::client);
  if (p == start || *p != ' ')
    return fail(kBad, Side::client, "the target is not visible ASCII and one space");
  out.target = std::string_view(start, p);

  ++p;
  auto minor = parse_version(p, end, kBad, Side::client);
  if (!minor) return pass_on(std::move(minor));
  out.minor = *minor;
  return expect_line_end(p, end, kBad, Side::client);
}

Result<void> parse_status_line(const char*& p, const char* end, ResponseHead& out) {
  constexpr Code kBad = Code::bad_status_line;
  auto minor = parse_version(p, end, kBad, Side::upstream);
  if (!minor) return pass_on(std::move(minor));
  out.minor = *minor;

  constexpr std::string_view kShape = " 100";
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (p + i == end) return fail(Code::incomplete, Side::upstream);
    const bool matches = i == 0 ? p[i] == ' ' : is_digit(p[i]) && (i > 1 || p[i] != '0');
    if (!matches) return fail(kBad, Side::upstream, "the status is not a space and three digits from 100");
  }
  out.status = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
  p += 4;

  if (p == end || *p != ' ') return expect_line_end(p, end, kBad, Side::upstream);
  const char* start = ++p;
  p = first_control(p, end);
  out.reason = std::string_view(start, p);
  return expect_line_end(p, end, kBad, Side::upstream);
}

enum class Scan { field, section_end, incomplete, bad };

// The hot loop of every head: no Result, because an Error carries a string. `why` is set for `bad`.
Scan scan_field_line(const char*& p, const char* end, std::string_view& name, std::string_view& value,
                     const char*& why) {
  const char* start = p;
  while (p != end && is_token_char(*p)) ++p;
  if (p == end) return Scan::incomplete;
  if (*p != ':' || p == start) [[unlikely]] {
    if (p == start && *p == '\r') {
      if (p + 1 == end) return Scan::incomplete;
      if (p[1] == '\n') return p += 2, Scan::section_end;
    }
    const bool blank = *p == ' ' || *p == '\t';
    why = blank ? (p == start ? "obs-fold" : "blank in a field name or before its colon")
                : (*p == ':' ? "empty field name" : "an octet that may not stand in a field name");
    return Scan::bad;
  }
  name = std::string_view(start, p);

  start = ++p;
  p = first_control(p, end);
  if (p == end) return Scan::incomplete;
  if (*p == '\r') {
    if (p + 1 == end) return Scan::incomplete;
    if (p[1] == '\n') {
      value = trim_ows(std::string_view(start, p));
      p += 2;
      return Scan::field;
    }
  }
  why = *p == '\r' ? "bare CR" : *p == '\n' ? "line ends in a bare LF" : "control octet in a field value";
  return Scan::bad;
}

Result<void> parse_fields(const char*& p, const char* end, std::size_t fields_max, Side side, Fields& out) {
  std::string_view name, value;
  const char* why = "";
  for (;;) {
    switch (scan_field_line(p, end, name, value, why)) {
      case Scan::field:
        if (out.size() == fields_max) return fail(Code::head_too_large, side, "too many fields");
        out.add(name, value);
        break;
      case Scan::section_end:
        return {};
      case Scan::incomplete:
        return fail(Code::incomplete, side);
      case Scan::bad:
        return fail(Code::bad_field, side, why);
    }
  }
}

// More input cannot help a head that already fills its limit.
std::unexpected<Error> unless_full(Error&& error, std::string_view input, std::size_t head_bytes_max) {
  if (error.code == Code::incomplete && input.size() > head_bytes_max)
    return fail(Code::head_too_large, error.side, "too many octets");
  return std::unexpected<Error>(std::move(error));
}

}  // namespace

std::size_t find_head_end(std::string_view input, std::size_t from) {
  std::size_t at = std::max(leading_empty_lines(input), from < 2 ? 0 : from - 2);
  while (at < input.size()) {
    const void* found = std::memchr(input.data() + at, '\n', input.size() - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data()) + 1;
    if (at < input.size() && input[at] == '\n') return at + 1;
    if (input.substr(at, 2) == "\r\n") return at + 2;
  }
  return kNoHeadEnd;
}

Result<std::size_t> parse_request_head(std::string_view input, const HeadLimits& limits, RequestHead& out) {
  out.clear();
  const std::string_view window = input.substr(0, limits.head_bytes_max);
  const char* p = window.data() + leading_empty_lines(window);
  const char* end = window.data() + window.size();
  auto done = parse_request_line(p, end, limits, out);
  if (done) done = parse_fields(p, end, limits.fields_max, Side::client, out.fields);
  if (!done) return unless_full(std::move(done).error(), input, limits.head_bytes_max);
  return static_cast<std::size_t>(p - input.data());
}

Result<std::size_t> parse_response_head(std::string_view input, const HeadLimits& limits, ResponseHead& out) {
  out.clear();
  const std::string_view window = input.substr(0, limits.head_bytes_max);
  const char* p = window.data();
  const char* end = p + window.size();
  auto done = parse_status_line(p, end, out);
  if (done) done = parse_fields(p, end, limits.fields_max, Side::upstream, out.fields);
  if (!done) return unless_full(std::move(done).error(), input, limits.head_bytes_max);
  return static_cast<std::size_t>(p - input.data());
}

Result<void> check_partial_request_head(std::string_view input, const HeadLimits& limits) {
  RequestHead scratch;
  const std::string_view window = input.substr(0, limits.head_bytes_max);
  const char* p = window.data() + leading_empty_lines(window);
  auto line = parse_request_line(p, window.data() + window.size(), limits, scratch);
  if (!line && line.error().code != Code::incomplete) return line;
  if (input.size() > limits.head_bytes_max)
    return fail(Code::head_too_large, Side::client, "too many octets");
  return {};
}

Result<void> check_partial_response_head(std::string_view input, const HeadLimits& limits) {
  ResponseHead scratch;
  const std::string_view window = input.substr(0, limits.head_bytes_max);
  const char* p = window.data();
  auto line = parse_status_line(p, p + window.size(), scratch);
  if (!line && line.error().code != Code::incomplete) return line;
  if (input.size() > limits.head_bytes_max)
    return fail(Code::head_too_large, Side::upstream, "too many octets");
  return {};
}

Result<FieldLine> parse_field_line(std::string_view input, Side side) {
  FieldLine line;
  const char* why = "";
  const char* p = input.data();
  switch (scan_field_line(p, p + input.size(), line.name, line.value, why)) {
    case Scan::incomplete:
      return fail(Code::incomplete, side);
    case Scan::bad:
      return fail(Code::bad_field, side, why);
    case Scan::field:
    case Scan::section_end:
      break;
  }
  line.consumed = static_cast<std::size_t>(p - input.data());
  return line;
}

}  // namespace stateway::http
