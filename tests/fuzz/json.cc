// JSON texts: what is accepted is kept exactly, and limits hold on both sides. The first octet chooses a
// depth.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "json/edit.h"
#include "json/value.h"

using namespace stateway;

namespace {

// Calls `visit` with each run of the text that is inside or outside of strings.
template <class Visit>
void for_each_run(std::string_view text, Visit visit) {
  bool inside = false;
  for (std::size_t begin = 0; begin < text.size(); inside = !inside) {
    std::size_t end = begin;
    while (end < text.size() && text[end] != '"') end += inside && text[end] == '\\' ? 2 : 1;
    end = std::min(end, text.size());
    visit(text.substr(begin, end - begin), inside);
    begin = end + 1;
  }
}

/// ±0.DIGITS × 10^exponent without zeros at either end: one spelling for each value.
struct Number {
  bool negative = false;
  std::string digits;
  long exponent = 0;

  bool operator==(const Number&) const = default;
};

// The plainest reading, to be compared with the one under test. Exponents beyond 9 digits count as 10^9.
Number read_number(std::string_view text) {
  Number out{.negative = text.starts_with('-')};
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  bool fraction = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    out.digits += c;
    if (!fraction) ++out.exponent;
  }
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.exponent -= static_cast<long>(zeros);
  while (out.digits.ends_with('0')) out.digits.pop_back();
  if (out.digits.empty()) return {};  // whatever its sign and exponent
  long power = 0;
  for (const char c : text.substr(e))
    if (c >= '0' && c <= '9') power = std::min(power * 10 + (c - '0'), 1'000'000'000L);
  out.exponent += text.substr(e).contains('-') ? -power : power;
  return out;
}

std::vector<Number> numbers_of(std::string_view text) {
  std::vector<Number> out;
  for_each_run(text, [&out](std::string_view run, bool inside) {
    for (std::size_t i = 0; !inside && i < run.size();) {
      const std::size_t begin = std::min(run.find_first_of("-0123456789", i), run.size());
      i = std::min(run.find_first_not_of("+-.0123456789eE", begin), run.size());
      if (i > begin) out.push_back(read_number(run.substr(begin, i - begin)));
    }
  });
  return out;
}

int depth_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  for_each_run(text, [&](std::string_view run, bool inside) {
    for (const char c : inside ? std::string_view() : run) {
      if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
      if (c == ']' || c == '}') --depth;
    }
  });
  return deepest;
}

// The same tokens with blanks between them.
std::string spread(std::string_view ascii) {
  std::string out = " ";
  for_each_run(ascii, [&out](std::string_view run, bool inside) {
    if (inside) out.append("\"").append(run).append("\"");
    for (const char c : inside ? std::string_view() : run) {
      const bool punctuation = std::string_view("[]{},:").contains(c);
      out.append(punctuation ? "\r\n" : "").append(1, c).append(punctuation ? "\t " : "");
    }
  });
  return out;
}

void check_kept(const json::Document& document, std::string_view text) {
  const std::string ascii = json::to_ascii(document);
  CHECK(std::ranges::all_of(ascii, [](char c) { return c >= 0x20 && c < 0x7f; }));
  const Result<json::Document> again = json::parse(ascii, {.depth_max = 64});
  CHECK(again && *again == document && json::to_ascii(*again) == ascii);
  CHECK(json::Edit(document, {}).bytes() == ascii.size());
  CHECK(numbers_of(ascii) == numbers_of(text));
  const json::Document copy = document;
  CHECK(copy == document);
  const Result<json::Document> roomy = json::parse(spread(ascii), {.depth_max = 64});
  CHECK(roomy && *roomy == document && json::to_ascii(*roomy) == ascii);

  // One of several values in a line ends where it ends.
  const std::string line = ascii + ",x";
  std::string_view rest = line;
  const Result<json::Document> front = json::parse_front(rest, {.depth_max = 64});
  CHECK(front && *front == document && rest == ",x");
  CHECK(!json::parse(line, {.depth_max = 64}));
}

void check_limits(std::string_view text, int depth) {
  CHECK(json::parse(text, {.bytes_max = text.size(), .depth_max = depth}));
  const auto longer = json::parse(text, {.bytes_max = text.size() - 1, .depth_max = depth});
  CHECK(!longer && longer.error().code == Code::bad_patch);
  if (depth == 0) return;
  const auto deeper = json::parse(text, {.depth_max = depth - 1});
  CHECK(!deeper && deeper.error().code == Code::bad_patch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int depth_max = data[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Result<json::Document> document = json::parse(text, {.depth_max = depth_max});
  if (!document) {
    CHECK(document.error().code == Code::bad_patch && !document.error().context.empty());
    return 0;
  }
  const int depth = depth_of(text);
  CHECK(depth <= depth_max);
  CHECK((document->is_object() || document->is_array()) == (depth > 0));
  check_limits(text, depth);
  check_kept(*document, text);
  return 0;
}
