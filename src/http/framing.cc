#include "http/framing.h"

#include <limits>
#include <optional>

#include "base/bytes.h"

namespace stateway::http {
namespace {

constexpr std::uint64_t kLengthMax = std::numeric_limits<std::int64_t>::max();  // sums of two never overflow

// The framing the fields declare; nullopt when they declare none.
Result<std::optional<Framing>> declared(const Fields& fields, int minor, Side side) {
  const bool has_length = fields.has(FieldId::content_length);
  if (fields.has(FieldId::transfer_encoding)) {
    if (has_length) return fail(Code::bad_framing, side, "Content-Length with Transfer-Encoding");
    if (minor == 0) return fail(Code::bad_framing, side, "Transfer-Encoding in HTTP/1.0");
    if (fields.count(FieldId::transfer_encoding) != 1 ||
        !equals_ignoring_case(fields.value_of(FieldId::transfer_encoding), "chunked"))
      return fail(Code::bad_framing, side, "a Transfer-Encoding other than one chunked");
    return Framing{.kind = Framing::Kind::chunked};
  }
  if (!has_length) return std::nullopt;
  if (fields.count(FieldId::content_length) != 1)
    return fail(Code::bad_framing, side, "several Content-Length");
  const auto length = parse_decimal(fields.value_of(FieldId::content_length));
  if (!length || *length > kLengthMax) return fail(Code::bad_framing, side, "malformed Content-Length");
  return Framing{.kind = Framing::Kind::length, .length = *length};
}

bool keep_alive(int minor, const Fields& fields) {
  if (!fields.has(FieldId::connection)) return minor >= 1;
  if (has_connection_option(fields, "close")) return false;
  return minor >= 1 || has_connection_option(fields, "keep-alive");
}

}  // namespace

Result<Framing> request_framing(const RequestHead& head) {
  auto framing = declared(head.fields, head.minor, Side::client);
  if (!framing) return pass_on(std::move(framing));
  return framing->value_or(Framing{});
}

Result<Framing> response_framing(const ResponseHead& head, Method request_method) {
  auto framing = declared(head.fields, head.minor, Side::upstream);
  if (!framing) return pass_on(std::move(framing));
  if (request_method == Method::head || head.status < 200 || head.status == 204 || head.status == 304)
    return Framing{};
  return framing->value_or(Framing{.kind = Framing::Kind::until_close});
}

bool has_connection_option(const Fields& fields, std::string_view option) {
  if (!fields.has(FieldId::connection)) return false;
  for (const Field& f : fields) {
    if (f.id != FieldId::connection) continue;
    std::string_view rest = f.value, member;
    while (next_list_member(rest, member))
      if (equals_ignoring_case(member, option)) return true;
  }
  return false;
}

bool keep_alive(const RequestHead& head) { return keep_alive(head.minor, head.fields); }
bool keep_alive(const ResponseHead& head) { return keep_alive(head.minor, head.fields); }

}  // namespace stateway::http
