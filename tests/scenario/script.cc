#include "script.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "http/octets.h"

namespace stateway::scenario {
namespace {

std::unexpected<Error> wrong(int line, std::string_view what) {
  return fail(Code::invalid_argument, Side::self, fmt::format("{}: {}", line, what));
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

/// `c`, `u`, `c2`, …
bool read_peer(std::string_view word, Step& step) {
  if (word.empty() || (word[0] != 'c' && word[0] != 'u')) return false;
  step.upstream = word[0] == 'u';
  const auto number = word.size() == 1 ? 1 : parse_decimal(word.substr(1)).value_or(0);
  step.connection = static_cast<unsigned>(number);
  return number >= 1 && number < 100;
}

/// The octet that the escape at the front of `rest` stands for.
std::optional<char> take_escape(std::string_view& rest) {
  if (rest.size() < 2) return std::nullopt;
  const char kind = rest[1];
  if (kind == 'x' && rest.size() >= 4) {
    const int high = http::hex_value(rest[2]);
    const int low = http::hex_value(rest[3]);
    rest.remove_prefix(4);
    return high < 0 || low < 0 ? std::nullopt : std::optional(static_cast<char>(high * 16 + low));
  }
  rest.remove_prefix(2);
  constexpr std::string_view kLetters = "rnt0\\{";
  constexpr std::string_view kOctets("\r\n\t\0\\{", 6);
  const std::size_t at = kLetters.find(kind);
  return at == std::string_view::npos ? std::nullopt : std::optional(kOctets[at]);
}

/// `TEXT*N`, or a text that stands for itself.
std::optional<std::string> repeated(std::string_view text) {
  const std::size_t star = text.rfind('*');
  const auto times = star == std::string_view::npos ? std::nullopt : parse_decimal(text.substr(star + 1));
  if (!times || *times > 10'000'000) return std::nullopt;
  std::string out;
  for (std::uint64_t i = 0; i < *times; ++i) out.append(text.substr(0, star));
  return out;
}

std::optional<Piece> read_problem(std::string_view rest) {
  Piece piece{.kind = Piece::Kind::problem};
  piece.n = parse_decimal(take_word(rest)).value_or(0);
  const std::string_view code = rest.substr(0, rest.find(','));
  rest.remove_prefix(code.size());
  piece.text = code;
  piece.closes = rest.contains(", close");
  piece.bodiless = rest.contains(", no body");
  if (piece.n < 400 || code.empty()) return std::nullopt;
  return piece;
}

/// What stands between braces.
std::optional<Piece> read_wildcard(std::string_view name) {
  using enum Piece::Kind;
  if (name == "any") return Piece{.kind = any};
  if (name == "date") return Piece{.kind = date};
  if (name == "hop") return Piece{.kind = hop};
  if (name.ends_with(" octets"))
    if (const auto n = parse_decimal(name.substr(0, name.find(' '))))
      return Piece{.kind = octets, .n = static_cast<std::size_t>(*n)};
  std::string_view rest = name;
  const std::string_view word = take_word(rest);
  if (word == "problem") return read_problem(rest);
  if (word == "chunks") return Piece{.kind = chunks, .text = repeated(rest).value_or(std::string(rest))};
  if (auto text = repeated(name)) return Piece{.text = std::move(*text)};
  return std::nullopt;
}

// These stand for whole lines.
bool has_own_end(Piece::Kind kind) {
  return kind == Piece::Kind::hop || kind == Piece::Kind::problem || kind == Piece::Kind::chunks;
}

void append(std::vector<Piece>& out, Piece piece) {
  if (piece.kind == Piece::Kind::text && !out.empty() && out.back().kind == Piece::Kind::text)
    out.back().text += piece.text;
  else
    out.push_back(std::move(piece));
}

/// One line of octets, with the CRLF behind it unless it ends in a backslash.
Result<std::vector<Piece>> read_octets(std::string_view rest, int line) {
  std::vector<Piece> out;
  while (!rest.empty()) {
    if (rest == "\\") return out;
    if (rest.front() == '\\') {
      const auto octet = take_escape(rest);
      if (!octet) return wrong(line, "no such escape; there are \\r \\n \\t \\0 \\xHH \\\\ \\{");
      append(out, {.text = std::string(1, *octet)});
    } else if (rest.front() == '{') {
      const std::size_t end = rest.find('}');
      auto piece = end == std::string_view::npos ? std::nullopt : read_wildcard(rest.substr(1, end - 1));
      if (!piece) return wrong(line, "unknown between braces; \\{ is the octet");
      const bool whole_line = has_own_end(piece->kind);
      append(out, std::move(*piece));
      rest.remove_prefix(end + 1);
      if (whole_line) return rest.empty() ? Result<std::vector<Piece>>(out) : wrong(line, "stands alone");
    } else {
      append(out, {.text = std::string(1, rest.front())});
      rest.remove_prefix(1);
    }
  }
  append(out, {.text = "\r\n"});
  return out;
}

class Parser {
 public:
  Result<std::vector<Step>> parse(std::string_view text) {
    open_.emplace_back();
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      ++line_;
      if (trim_ows(line).empty() || line.starts_with('#')) {
        joins_ = false;
        continue;
      }
      if (auto ok = take(line); !ok) return pass_on(std::move(ok));
    }
    if (open_.size() != 1) return wrong(line_, "a repeat without its end");
    if (open_.back().empty()) return wrong(line_, "nothing happens");
    return std::move(open_.back());
  }

 private:
  Result<void> take(std::string_view line) {
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    Step step{.line = line_};
    if (word == "repeat") return begin_repeat(rest);
    if (word == "end") return end_repeat();
    if (word.ends_with('>') && read_peer(word.substr(0, word.size() - 1), step))
      return take_octets(std::move(step), rest);
    if (word.starts_with('>') && read_peer(word.substr(1), step)) {
      step.kind = Step::Kind::get;
      return take_octets(std::move(step), rest);
    }
    if (read_peer(word, step)) return take_event(std::move(step), rest);
    return wrong(line_, "begins with none of c> >c u> >u c u repeat end");
  }

  // Lines that follow each other are one write, or one expectation.
  Result<void> take_octets(Step step, std::string_view rest) {
    auto pieces = read_octets(rest, line_);
    if (!pieces) return pass_on(std::move(pieces));
    const bool sends = step.kind == Step::Kind::send;
    std::vector<Step>& steps = open_.back();
    const bool same = joins_ && !steps.empty() && steps.back().kind == step.kind &&
                      steps.back().upstream == step.upstream && steps.back().connection == step.connection;
    if (!same) steps.push_back(std::move(step));
    joins_ = true;
    for (Piece& piece : *pieces) {
      if (sends && piece.kind != Piece::Kind::text) return wrong(line_, "this can only be expected");
      if (sends)
        steps.back().octets += piece.text;
      else
        append(steps.back().pieces, std::move(piece));
    }
    return {};
  }

  Result<void> take_event(Step step, std::string_view what) {
    std::vector<Step>& steps = open_.back();
    joins_ = false;
    if (what == "ends at once") {
      if (steps.empty() || steps.back().kind != Step::Kind::send || steps.back().upstream != step.upstream)
        return wrong(line_, "needs octets it ends with");
      steps.back().ends = true;
      return {};
    }
    constexpr std::pair<std::string_view, Step::Kind> kEvents[] = {
        {"ends", Step::Kind::end},
        {"closes", Step::Kind::close},
        {"resets", Step::Kind::reset},
        {"sees end", Step::Kind::see_end},
        {"sees reset", Step::Kind::see_reset},
        {"sees end or reset", Step::Kind::see_over},
        {"sees nothing", Step::Kind::see_nothing}};
    for (const auto& [name, kind] : kEvents) {
      if (name != what) continue;
      step.kind = kind;
      steps.push_back(std::move(step));
      return {};
    }
    return wrong(line_,
                 "there are: ends, ends at once, closes, resets, sees end, sees reset, sees end or reset, "
                 "sees nothing");
  }

  Result<void> begin_repeat(std::string_view rest) {
    const auto times = parse_decimal(rest);
    if (!times || *times == 0 || *times > 1'000'000) return wrong(line_, "repeat how often?");
    open_.back().push_back(
        {.kind = Step::Kind::repeat, .times = static_cast<std::size_t>(*times), .line = line_});
    open_.emplace_back();
    joins_ = false;
    return {};
  }

  Result<void> end_repeat() {
    if (open_.size() < 2) return wrong(line_, "an end without its repeat");
    std::vector<Step> steps = std::move(open_.back());
    open_.pop_back();
    open_.back().back().steps = std::move(steps);
    joins_ = false;
    return {};
  }

  std::vector<std::vector<Step>> open_;  // the script, and the repeats that have no end yet
  bool joins_ = false;                   // the next line of octets goes with the last one
  int line_ = 0;
};

}  // namespace

Result<std::vector<Step>> parse_script(std::string_view text) { return Parser().parse(text); }

std::string shown(std::string_view octets) {
  constexpr std::size_t kMost = 2000;
  std::string out;
  for (const char c : octets.substr(0, kMost)) {
    if (c == '\n')
      out += "\\n\n      ";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\\')
      out += "\\\\";
    else if (c >= ' ' && c < 0x7f)
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (octets.size() > kMost) out += fmt::format("… ({} octets)", octets.size());
  return out;
}

}  // namespace stateway::scenario
