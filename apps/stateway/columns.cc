#include "stateway/columns.h"

#include <fmt/format.h>

#include <algorithm>

namespace stateway {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void Columns::line(const Row& row) const {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    out += row[i];
    if (i + 1 == row.size()) break;
    const std::size_t width = characters(row[i]);
    out.append(std::max(widths_[i], width) - width + 2, ' ');
  }
  fmt::print(out_, "{}\n", out);
}

void Columns::print(const std::vector<Row>& rows) {
  if (widths_.empty()) {
    for (const std::string& header : headers_) widths_.push_back(characters(header));
    for (const Row& row : rows)
      for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], characters(row[i]));
    line(headers_);
  }
  for (const Row& row : rows) line(row);
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    out += c < 0x20 || c == 0x7f || c1 ? '?' : text[i];
  }
  return out;
}

std::string to_the_second(std::string_view time) {
  if (time.empty()) return "-";
  const std::size_t dot = time.find('.');
  return dot == std::string_view::npos ? printable(time) : printable(time.substr(0, dot)) + "Z";
}

}  // namespace stateway
