#include "config/scalar.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace stateway::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Unit kDurationUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizeUnits[] = {{"", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};
constexpr std::uint64_t kDurationMax = 100ull * 366 * 86'400'000;
constexpr std::uint64_t kSizeMax = 1ull << 62;

std::optional<std::uint64_t> parse_scaled(std::string_view text, std::span<const Unit> units,
                                          std::uint64_t max) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> number = parse_decimal(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!number || unit == units.end() || *number > max / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

constexpr bool starts_name(char c) { return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_'; }
constexpr bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

bool is_variable_name(std::string_view name) {
  return !name.empty() && starts_name(name.front()) && std::ranges::all_of(name, continues_name);
}

/// Optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  const std::optional<std::uint64_t> ms = parse_scaled(text, kDurationUnits, kDurationMax);
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_scaled(text, kSizeUnits, kSizeMax);
}

std::string duration_text(std::int64_t milliseconds) {
  for (const auto& [unit, ms] : {std::pair{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}})
    if (milliseconds != 0 && milliseconds % ms == 0) return std::to_string(milliseconds / ms) + unit;
  return std::to_string(milliseconds) + "ms";
}

std::string size_text(std::int64_t bytes) {
  for (const auto& [unit, shift] : {std::pair{"GiB", 30}, {"MiB", 20}, {"KiB", 10}})
    if (bytes != 0 && bytes % (std::int64_t{1} << shift) == 0) return std::to_string(bytes >> shift) + unit;
  return std::to_string(bytes);
}

std::expected<Secret, std::string> token_of(std::string content) {
  constexpr std::size_t kTokenBytesMax = 4096;  // it travels as one header field
  while (content.ends_with('\n') || content.ends_with('\r')) content.pop_back();
  if (content.empty()) return std::unexpected("the file is empty");
  if (content.size() > kTokenBytesMax) return std::unexpected("a token has at most 4096 characters");
  if (!std::ranges::all_of(content, [](char c) { return c > ' ' && c < '\x7f'; }))
    return std::unexpected("a token is one line of visible ASCII characters without blanks");
  return Secret(std::move(content));
}

std::expected<std::string, std::string> expand_environment(
    std::string_view text, const std::function<std::optional<std::string>(const std::string&)>& lookup) {
  std::string out;
  for (;;) {
    const std::size_t dollar = text.find("${");
    out.append(text.substr(0, dollar));
    if (dollar == std::string_view::npos) return out;
    const std::size_t end = text.find('}', dollar);
    if (end == std::string_view::npos) return std::unexpected(std::string("the } of ${NAME} is missing"));
    const std::string name(text.substr(dollar + 2, end - dollar - 2));
    if (!is_variable_name(name))
      return std::unexpected("${" + name + "}: a variable's name holds letters, digits and _ only");
    const std::optional<std::string> value = lookup(name);
    if (!value) return std::unexpected("${" + name + "} is not set in the environment");
    out.append(*value);
    text.remove_prefix(end + 1);
  }
}

std::optional<std::string_view> closest(std::string_view name, std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  constexpr std::size_t kNameMax = 64;  // longer ones are no typing errors, and the distance is quadratic
  if (name.size() > kNameMax) return std::nullopt;
  for (const std::string_view candidate : candidates) {
    if (const std::size_t d = distance(name, candidate); d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace stateway::config
