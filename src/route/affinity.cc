#include "route/affinity.h"

#include "base/bytes.h"
#include "http/octets.h"

namespace stateway::route {
namespace {

Result<Affinity> bad(const char* why) { return fail(Code::invalid_argument, Side::self, why); }

Result<Affinity> parse_header(std::string_view name) {
  if (name.empty()) return bad("header: needs the name of a field, such as \"header:X-Tenant\"");
  if (!http::is_token(name)) return bad("the name of a field holds letters, digits and - only");
  if (equals_ignoring_case(name.substr(0, 9), "stateway-"))
    return bad("Stateway-* fields of clients count for nothing");
  return Affinity{.kind = Affinity::Kind::header, .name = std::string(name)};
}

Result<Affinity> parse_path(std::string_view number) {
  const auto segment = parse_decimal(number);
  if (!segment || *segment < 1 || *segment > kAffinitySegmentMax)
    return bad("path: needs the number of a segment, 1 to 100: the first of /shop/cart is shop");
  return Affinity{.kind = Affinity::Kind::path, .segment = static_cast<unsigned>(*segment)};
}

Result<Affinity> parse_query(std::string_view name) {
  if (name.empty()) return bad("query: needs the name of a parameter, such as \"query:user\"");
  for (const char c : name)
    if (c <= ' ' || c >= '\x7f' || std::string_view("&=#%+").find(c) != std::string_view::npos)
      return bad("the name of a parameter is written without &, =, #, %, + and blanks");
  return Affinity{.kind = Affinity::Kind::query, .name = std::string(name)};
}

}  // namespace

Result<Affinity> parse_affinity(std::string_view text) {
  if (text == "client_ip") return Affinity{};
  const auto after = [text](std::string_view prefix) { return text.substr(prefix.size()); };
  if (text.starts_with("header:")) return parse_header(after("header:"));
  if (text.starts_with("path:")) return parse_path(after("path:"));
  if (text.starts_with("query:")) return parse_query(after("query:"));
  return bad("write \"header:NAME\", \"path:N\", \"query:NAME\" or \"client_ip\"");
}

std::string to_string(const Affinity& affinity) {
  switch (affinity.kind) {
    case Affinity::Kind::header:
      return "header:" + affinity.name;
    case Affinity::Kind::path:
      return "path:" + std::to_string(affinity.segment);
    case Affinity::Kind::query:
      return "query:" + affinity.name;
    case Affinity::Kind::client_ip:
      break;
  }
  return "client_ip";
}

}  // namespace stateway::route
