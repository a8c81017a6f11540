#include "upstream/output_lines.h"

#include <gmock/gmock.h>

#include <vector>

namespace stateway::upstream {
namespace {

using Lines = std::vector<std::string>;
constexpr std::size_t kMax = OutputLines::kLineBytesMax;

Lines cut(std::string_view octets, std::size_t piece) {
  Lines out;
  OutputLines lines([&out](std::string_view line) { out.emplace_back(line); });
  for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size())))
    lines.add(octets.substr(0, piece));
  lines.flush();
  return out;
}

TEST(OutputLines, HoweverTheOctetsArrive) {
  const std::string full(kMax, 'f');
  const std::string longer(kMax + 3, 'l');
  const struct {
    std::string octets;
    Lines lines;
  } table[] = {
      {"", {}},
      {"a\n", {"a"}},
      {"a\nb", {"a", "b"}},
      {"a\r\n\r\n\nb\r\n", {"a", "b"}},
      {"\n", {}},
      {full + "\nx\n", {full, "x"}},
      {full, {full}},
      {longer + "\nx\n", {longer.substr(0, kMax), "lll", "x"}},
      {longer + longer, {longer.substr(0, kMax), "lll" + longer.substr(0, kMax - 3), "llllll"}},
  };
  for (const auto& row : table)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{1000}, kMax, 3 * kMax})
      EXPECT_EQ(cut(row.octets, piece), row.lines) << row.octets.substr(0, 20) << " in pieces of " << piece;
}

}  // namespace
}  // namespace stateway::upstream
