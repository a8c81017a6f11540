#include "http/writer.h"

#include <charconv>

#include "base/check.h"

namespace stateway::http {

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  out.append(method).append(1, ' ').append(target).append(" HTTP/1.1\r\n");
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  const std::array<char, 3> digits = {static_cast<char>('0' + status / 100),
                                      static_cast<char>('0' + status / 10 % 10),
                                      static_cast<char>('0' + status % 10)};
  out.append("HTTP/1.1 ").append(digits.data(), digits.size()).append(1, ' ').append(reason).append("\r\n");
}

void append_own_field(std::string& out, std::string_view name, std::string_view value) {
  CHECK(is_token(name) && is_valid_field_value(value));
  append_field(out, name, value);
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  append_field(out, name, std::string_view(digits.data(), end));
}

ChunkHeader::ChunkHeader(std::uint64_t size) {
  CHECK(size > 0);
  std::size_t at = text_.size();
  text_[--at] = '\n';
  text_[--at] = '\r';
  for (; size != 0; size >>= 4) text_[--at] = "0123456789abcdef"[size & 15];
  first_ = static_cast<std::uint8_t>(at);
}

void append_last_chunk(std::string& out, const Trailers& trailers) {
  out.append("0\r\n");
  for (const auto& [name, value] : trailers) append_field(out, name, value);
  out.append("\r\n");
}

}  // namespace stateway::http
