#include "admin/query.h"

#include <algorithm>
#include <optional>

#include "http/octets.h"

namespace stateway::admin {
namespace {

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = http::hex_value(text[i + 1]);
    const int low = http::hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

Result<std::vector<Parameter>> parse_query(std::string_view query) {
  std::vector<Parameter> out;
  if (query.starts_with('?')) query.remove_prefix(1);
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = decode(part.substr(0, equals));
    auto value = decode(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value)
      return fail(Code::invalid_argument, Side::client,
                  "two hexadecimal digits must follow a % in the query");
    if (std::ranges::find(out, *name, &Parameter::name) != out.end())
      return fail(Code::invalid_argument, Side::client, "a parameter stands twice in the query");
    out.push_back({std::move(*name), std::move(*value)});
  }
  return out;
}

}  // namespace stateway::admin
