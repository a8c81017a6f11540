#include "match.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "http/h1_parser.h"
#include "http/octets.h"
#include "http/problem.h"

namespace stateway::scenario {
namespace {

const Match kNeedsMore{.needs_more = true};

Match differs(std::string why) { return {.why = std::move(why)}; }

Match match_text(std::string_view wanted, std::string_view input) {
  const std::string_view here = input.substr(0, wanted.size());
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(wanted, here).in1 - wanted.begin());
  if (at == wanted.size()) return {.octets = at};
  if (at == input.size()) return kNeedsMore;
  return differs(fmt::format("octet {} differs", at));
}

Match match_any(const Piece* next, std::string_view input) {
  const std::string_view stop = next == nullptr ? std::string_view("\r") : next->text;
  const std::size_t end = std::min(input.find(stop), input.find('\r'));
  if (end == std::string_view::npos) return kNeedsMore;
  return end == 0 ? differs("nothing where there must be something") : Match{.octets = end};
}

Match match_date(std::string_view input) {
  constexpr std::string_view kForm = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  if (input.size() < kForm.size()) return kNeedsMore;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0'                      ? http::is_digit(input[i])
                      : kForm[i] == 'A' || kForm[i] == 'a' ? http::is_alpha(input[i])
                                                           : kForm[i] == input[i];
    if (!fits) return differs("not a date");
  }
  return {.octets = kForm.size()};
}

// Their order is the gateway's; their values are tested where they are made.
Match match_hop(std::string_view input) {
  constexpr std::string_view kNames[] = {
      "Via",          "Forwarded",       "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
      "X-Request-Id", "Stateway-Attempt"};
  std::size_t at = 0;
  for (const std::string_view name : kNames) {
    const std::string_view line = input.substr(at, input.substr(at).find('\n') + 1);
    if (line.empty()) return kNeedsMore;
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
      at += line.size();
    else if (name != "X-Forwarded-Host")  // which is not there without a host
      return differs(fmt::format("no {}, but {}", name, shown(line)));
  }
  return {.octets = at};
}

std::string wanted_body_start(const Piece& piece) {
  return fmt::format(R"({{"type":"urn:stateway:problem:{}",)", piece.text);
}

// Exactly the fields that such an answer has, and a body of exactly the length it says.
Match match_problem(const Piece& piece, std::string_view input) {
  http::ResponseHead head;
  const auto parsed = http::parse_response_head(input, {}, head);
  if (!parsed && parsed.error().code == Code::incomplete) return kNeedsMore;
  if (!parsed) return differs("not a response: " + parsed.error().context);
  if (head.status != static_cast<int>(piece.n)) return differs(fmt::format("status {}", head.status));
  const bool closes = equals_ignoring_case(head.fields.value_of(http::FieldId::connection), "close");
  if (closes != piece.closes) return differs(closes ? "Connection: close" : "no Connection: close");
  if (head.fields.value_of(http::FieldId::content_type) != http::kProblemContentType)
    return differs("not a problem");
  constexpr std::string_view kFields[] = {"Date",         "Content-Type", "Retry-After",   "Allow",
                                          "X-Request-Id", "Connection",   "Content-Length"};
  for (const http::Field& f : head.fields)
    if (std::ranges::find(kFields, f.name) == std::end(kFields))
      return differs(fmt::format("an unexpected {}", f.name));
  if (piece.bodiless) return {.octets = *parsed};
  const auto length = parse_decimal(head.fields.value_of(http::FieldId::content_length)).value_or(0);
  const std::string_view body = input.substr(*parsed, length);
  if (body.size() < length) return kNeedsMore;
  const std::string status = fmt::format(R"("status":{})", piece.n);
  const bool fits = body.starts_with(wanted_body_start(piece)) && body.ends_with("}\n") &&
                    (body.contains(status + ",") || body.contains(status + "}"));
  return fits ? Match{.octets = *parsed + length} : differs("another problem");
}

Match match_chunks(std::string_view wanted, std::string_view input) {
  std::size_t at = 0;
  while (!wanted.empty()) {
    std::size_t size = 0;
    std::size_t digits = 0;
    const std::string_view line = input.substr(at, input.substr(at).find('\n') + 1);
    if (line.empty()) return kNeedsMore;
    for (; digits < line.size() && http::hex_value(line[digits]) >= 0 && digits < 8; ++digits)
      size = size * 16 + static_cast<std::size_t>(http::hex_value(line[digits]));
    if (digits == 0 || size == 0 || line.substr(digits) != "\r\n")
      return differs("not a chunk: " + shown(line));
    const std::string_view data = input.substr(at + line.size(), size + 2);
    if (!wanted.starts_with(data.substr(0, size))) return differs("other octets in a chunk");
    if (data.size() < size + 2) return kNeedsMore;
    if (data.substr(size) != "\r\n") return differs("a chunk without its end");
    wanted.remove_prefix(size);
    at += line.size() + size + 2;
  }
  return {.octets = at};
}

}  // namespace

Match match(const Piece& piece, const Piece* next, std::string_view input) {
  switch (piece.kind) {
    case Piece::Kind::text:
      return match_text(piece.text, input);
    case Piece::Kind::any:
      return match_any(next, input);
    case Piece::Kind::date:
      return match_date(input);
    case Piece::Kind::octets:
      return input.size() < piece.n ? kNeedsMore : Match{.octets = piece.n};
    case Piece::Kind::hop:
      return match_hop(input);
    case Piece::Kind::problem:
      return match_problem(piece, input);
    case Piece::Kind::chunks:
      return match_chunks(piece.text, input);
  }
  return differs("unknown");
}

}  // namespace stateway::scenario
