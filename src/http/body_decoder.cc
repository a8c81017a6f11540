#include "http/body_decoder.h"

#include <algorithm>

#include "base/check.h"
#include "http/h1_parser.h"
#include "http/octets.h"

namespace stateway::http {

BodyDecoder::BodyDecoder(Framing framing, Side side, BodyLimits limits) : side_(side), limits_(limits) {
  switch (framing.kind) {
    case Framing::Kind::none:
      state_ = State::done;
      break;
    case Framing::Kind::length:
      remaining_ = framing.length;
      state_ = framing.length == 0 ? State::done : State::identity;
      break;
    case Framing::Kind::chunked:
      state_ = State::size_first;
      break;
    case Framing::Kind::until_close:
      state_ = State::until_close;
      break;
  }
}

Result<BodyDecoder::Step> BodyDecoder::next(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::done) {
    switch (state_) {
      case State::until_close:
        return Step{input.size(), input, false};
      case State::identity:
      case State::data: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
        remaining_ -= n;
        if (remaining_ == 0) state_ = state_ == State::identity ? State::done : State::data_cr;
        return Step{at + n, input.substr(at, n), done()};
      }
      case State::trailer: {
        auto taken = take_trailer(input.substr(at));
        if (!taken) return pass_on(std::move(taken));
        at += *taken;
        break;
      }
      default: {
        auto taken = take_chunk_octet(input[at]);
        if (!taken) return pass_on(std::move(taken));
        ++at;
      }
    }
  }
  return Step{at, {}, done()};
}

// Everything of a chunk but its data and the trailers, octet by octet: the lines are short, and nothing has
// to be kept when they come in pieces.
Result<void> BodyDecoder::take_chunk_octet(char c) {
  switch (state_) {
    case State::size_first:
    case State::size: {
      const int value = hex_value(c);
      if (value >= 0) {
        if (++digits_ > 16) return bad("chunk size too long");
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(value);
        state_ = State::size;
        break;
      }
      if (state_ == State::size_first) return bad("no chunk size where one must stand");
      [[fallthrough]];
    }
    case State::size_blank:
      if (c == ';')
        state_ = State::extension;
      else if (c == ' ' || c == '\t')
        state_ = State::size_blank;
      else if (c == '\r' && state_ == State::size)
        state_ = State::size_lf;
      else
        return bad("an octet that may not follow a chunk size");
      break;
    case State::extension:
      if (c == '\r')
        state_ = State::size_lf;
      else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
        return bad("control octet in a chunk extension");
      break;
    case State::size_lf:
      if (c != '\n') return bad("bare CR in a chunk line");
      end_size_line();
      return {};
    case State::data_cr:
      if (c != '\r') return bad("chunk data does not end where its size says");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return bad("chunk data does not end in CRLF");
      state_ = State::size_first;
      return {};
    default:
      CHECK(false);
  }
  if (++line_bytes_ > limits_.chunk_line_bytes_max) return bad("chunk line too long");
  return {};
}

void BodyDecoder::end_size_line() {
  state_ = remaining_ == 0 ? State::trailer : State::data;
  line_bytes_ = 0;
  digits_ = 0;
}

Result<std::size_t> BodyDecoder::take_trailer(std::string_view input) {
  const std::size_t newline = input.find('\n');
  const std::size_t taken = newline == std::string_view::npos ? input.size() : newline + 1;
  line_bytes_ += taken;
  if (line_bytes_ > limits_.trailer_bytes_max) return fail(Code::bad_field, side_, "trailers too large");

  std::string_view line = input.substr(0, taken);
  if (!trailer_line_.empty() || newline == std::string_view::npos) line = trailer_line_.append(line);
  if (newline == std::string_view::npos) return taken;

  auto parsed = parse_field_line(line, side_);
  if (!parsed) return pass_on(std::move(parsed));
  if (parsed->name.empty()) {
    state_ = State::done;
  } else {
    if (trailers_.size() == limits_.trailer_fields_max)
      return fail(Code::bad_field, side_, "too many trailers");
    trailers_.emplace_back(parsed->name, parsed->value);
  }
  trailer_line_.clear();
  return taken;
}

Result<void> BodyDecoder::finish_at_eof() {
  if (state_ == State::until_close) state_ = State::done;
  if (done()) return {};
  return fail(side_ == Side::upstream ? Code::upstream_closed : Code::closed, side_,
              "the connection ended inside a body");
}

}  // namespace stateway::http
