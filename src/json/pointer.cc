#include "json/pointer.h"

#include "base/bytes.h"

namespace stateway::json {

bool is_pointer(std::string_view s) {
  if (s.empty()) return true;
  if (s.front() != '/') return false;
  for (std::size_t i = s.find('~'); i != std::string_view::npos; i = s.find('~', i + 1))
    if (i + 1 == s.size() || (s[i + 1] != '0' && s[i + 1] != '1')) return false;
  return true;
}

std::string escape_token(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out.push_back(c);
  }
  return out;
}

std::string_view unescape_token(std::string_view token, std::string& scratch) {
  std::size_t tilde = token.find('~');
  if (tilde == std::string_view::npos) return token;
  scratch.clear();
  while (tilde != std::string_view::npos) {
    scratch.append(token, 0, tilde);
    scratch.push_back(token[tilde + 1] == '1' ? '/' : '~');
    token.remove_prefix(tilde + 2);
    tilde = token.find('~');
  }
  scratch.append(token);
  return scratch;
}

std::optional<std::size_t> array_index(std::string_view token) {
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  return parse_decimal(token);
}

const bj::value* child(const bj::value& container, std::string_view token) {
  if (container.is_object()) {
    std::string scratch;
    const std::string_view name = unescape_token(token, scratch);
    return container.get_object().if_contains(bj::string_view(name.data(), name.size()));
  }
  if (container.is_array()) {
    const std::optional<std::size_t> index = array_index(token);
    return index ? container.get_array().if_contains(*index) : nullptr;
  }
  return nullptr;
}

const bj::value* find(const bj::value& root, std::string_view pointer) {
  const bj::value* at = &root;
  Tokens tokens(pointer);
  for (auto token = tokens.next(); token && at != nullptr; token = tokens.next()) at = child(*at, *token);
  return at;
}

}  // namespace stateway::json
