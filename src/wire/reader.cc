#include "wire/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/block_pool.h"

namespace stateway::wire {

std::span<char> Buffer::space(std::size_t first) {
  if (end_ == capacity_) {
    const std::size_t held = end_ - begin_;
    if (begin_ > 0 && held < capacity_ / 2) {
      std::memmove(data_, data_ + begin_, held);
    } else {
      Buffer bigger;
      bigger.capacity_ = capacity_ == 0 ? first : capacity_ * 2;
      bigger.data_ = static_cast<char*>(take_block(bigger.capacity_));
      if (held > 0) std::memcpy(bigger.data_, data_ + begin_, held);
      swap(bigger);
    }
    begin_ = 0;
    end_ = held;
  }
  return {data_ + end_, capacity_ - end_};
}

void Buffer::release() {
  if (data_ != nullptr) give_block(data_, capacity_);
  data_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

void Buffer::swap(Buffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

Reader::Reader(io::Stream& stream, Side side, http::HeadLimits limits)
    : stream_(stream), side_(side), limits_(limits), body_(http::Framing{}, side) {}

io::Task<Result<bool>> Reader::wait_for_octets(TimePoint deadline) {
  if (!head_.empty()) co_return true;
  head_.release();
  const auto readable = co_await stream_.readable(deadline);
  if (!readable) co_return fail(readable.error().code, side_, readable.error().context);
  // Something is there: octets, the end, or an error.
  const auto n = co_await stream_.read_some(head_.space(kHeadBytes), deadline);
  if (!n) co_return fail(n.error().code, side_, n.error().context);
  head_.filled(*n);
  co_return *n > 0;
}

namespace {

Result<std::size_t> parse(std::string_view in, const http::HeadLimits& limits, http::RequestHead& head) {
  return http::parse_request_head(in, limits, head);
}
Result<std::size_t> parse(std::string_view in, const http::HeadLimits& limits, http::ResponseHead& head) {
  return http::parse_response_head(in, limits, head);
}
Result<void> check_partial(std::string_view in, const http::HeadLimits& limits, const http::RequestHead&) {
  return http::check_partial_request_head(in, limits);
}
Result<void> check_partial(std::string_view in, const http::HeadLimits& limits, const http::ResponseHead&) {
  return http::check_partial_response_head(in, limits);
}

}  // namespace

template <class Head>
io::Task<Result<void>> Reader::read_head_of(Head& head, TimePoint deadline) {
  std::size_t searched = 0;
  for (;;) {
    const std::string_view input = head_.unread();
    if (!input.empty() && http::find_head_end(input, searched) != http::kNoHeadEnd) {
      const auto consumed = parse(input, limits_, head);
      if (!consumed) co_return fail(consumed.error().code, side_, consumed.error().context);
      head_octets_ = *consumed;
      used_ = 0;
      co_return Result<void>{};
    }
    if (auto fine = check_partial(input, limits_, head); !fine) co_return fine;
    searched = input.size();
    const auto n = co_await stream_.read_some(head_.space(kHeadBytes), deadline);
    if (!n) co_return fail(n.error().code, side_, n.error().context);
    if (*n == 0 && head_.empty())
      co_return fail(Code::closed, side_, "the connection ended before a message");
    if (*n == 0)
      co_return fail(side_ == Side::client ? Code::bad_request_line : Code::bad_response, side_,
                     "the connection ended inside a message head");
    head_.filled(*n);
  }
}

io::Task<Result<void>> Reader::read_head(http::RequestHead& head, TimePoint deadline) {
  return read_head_of(head, deadline);
}
io::Task<Result<void>> Reader::read_head(http::ResponseHead& head, TimePoint deadline) {
  return read_head_of(head, deadline);
}

void Reader::begin_body(http::Framing framing) {
  body_ = http::BodyDecoder(
      framing, side_,
      {.trailer_bytes_max = limits_.head_bytes_max, .trailer_fields_max = limits_.fields_max});
}

Result<Piece> Reader::next_buffered() {
  while (!body_.done()) {
    const std::string_view behind_head = head_.unread().substr(head_octets_ + used_);
    const bool from_head = !behind_head.empty();
    const std::string_view input = from_head ? behind_head : pump_.unread();
    const auto step = body_.next(input);
    if (!step) return fail(step.error().code, side_, step.error().context);
    if (from_head)
      used_ += step->consumed;
    else
      pump_.consume(step->consumed);
    if (!step->data.empty()) return Piece{step->data, step->done};
    if (step->done) break;
    return Piece{};
  }
  return Piece{{}, true};
}

io::Task<Result<void>> Reader::fill(TimePoint deadline) {
  if (pump_.empty()) pump_.rewind();
  const auto n = co_await stream_.read_some(pump_.space(kPumpBytes), deadline);
  if (!n) co_return fail(n.error().code, side_, n.error().context);
  if (*n == 0) co_return body_.finish_at_eof();
  pump_.filled(*n);
  co_return Result<void>{};
}

io::Task<Result<Piece>> Reader::next(TimePoint deadline) {
  for (;;) {
    auto piece = next_buffered();
    if (!piece || piece->done || !piece->data.empty()) co_return piece;
    auto filled = co_await fill(deadline);
    if (!filled) co_return pass_on(std::move(filled));
  }
}

void Reader::finish_message() {
  CHECK(body_.done());
  head_.consume(head_octets_ + used_);
  head_octets_ = used_ = 0;
  if (!pump_.empty()) head_.swap(pump_);  // filled only when nothing was left behind the head
  pump_.release();
  if (head_.empty()) head_.release();
}

std::string Reader::take_unread() {
  const std::string_view behind_head = head_.unread().substr(head_octets_ + used_);
  std::string out(behind_head);
  used_ += behind_head.size();
  out.append(pump_.unread());
  pump_.release();
  return out;
}

}  // namespace stateway::wire
