// Reads HTTP/1 messages from a stream: either end of a connection, one message after the other.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/body_decoder.h"
#include "http/framing.h"
#include "http/h1_parser.h"
#include "http/message.h"
#include "io/stream.h"
#include "io/task.h"

namespace stateway::wire {

/// Octets that were read and not yet used. Owns its memory only while it holds some: an idle connection costs
/// nothing.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  std::string_view unread() const { return {data_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) { begin_ += n; }
  /// Free space behind what is unread, at least one octet. Grows, moving what is unread to the front, so
  /// earlier views die; it doubles from `first` octets.
  std::span<char> space(std::size_t first);
  void filled(std::size_t n) { end_ += n; }
  /// Starts at the front again; for an empty buffer.
  void rewind() { begin_ = end_ = 0; }
  void release();
  void swap(Buffer& other) noexcept;

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// A piece of a message body.
struct Piece {
  std::string_view data;  // valid until the next call on the reader
  bool done = false;      // nothing follows `data`
};

/// Call in this order, again for each message: wait_for_octets (optional), read_*_head, begin_body, then
/// next_buffered/fill until done, finish_message. Not thread-safe.
class Reader {
 public:
  /// `side` is who is at the other end; errors carry it. `stream` must outlive the reader.
  Reader(io::Stream& stream, Side side, http::HeadLimits limits);

  /// For the heads and trailers that are read from now on.
  void set_limits(http::HeadLimits limits) { limits_ = limits; }

  /// Waits, holding no memory, until there is something to read. False: the stream ended between two
  /// messages. Errors: timeout, io.
  io::Task<Result<bool>> wait_for_octets(TimePoint deadline);

  /// Reads one head. Its views are valid until finish_message.
  /// Errors: the parsers' (h1_parser.h); closed: the stream ended before the first octet; io; timeout; and
  /// for an end inside the head bad_request_line or bad_response.
  io::Task<Result<void>> read_head(http::RequestHead& head, TimePoint deadline);
  io::Task<Result<void>> read_head(http::ResponseHead& head, TimePoint deadline);

  void begin_body(http::Framing framing);
  /// What is there without waiting. Neither data nor done: `fill`, then ask again.
  /// Errors: bad_chunk, bad_field.
  Result<Piece> next_buffered();
  /// Reads more of the body. Errors: timeout, io, and for an early end closed or upstream_closed.
  io::Task<Result<void>> fill(TimePoint deadline);
  /// next_buffered, or fill and again, until there is data or the end.
  io::Task<Result<Piece>> next(TimePoint deadline);
  /// Octets read and not yet used, framing included.
  std::size_t buffered() const {
    return head_.unread().size() - head_octets_ - used_ + pump_.unread().size();
  }
  bool body_done() const { return body_.done(); }
  const http::BodyDecoder& body() const { return body_; }

  /// Forgets the head; what was read behind the body stays for the next message. The body must be done.
  void finish_message();
  /// Nothing is left over from the last message; what an upstream connection must fulfil to be used again.
  bool empty() const { return head_.empty() && pump_.empty(); }
  /// Takes what was read but not used, for a tunnel that goes on with raw octets. The head's views stay
  /// valid.
  std::string take_unread();

  io::Stream& stream() { return stream_; }

 private:
  static constexpr std::size_t kHeadBytes = 4096;       // most heads fit; doubles up to the limit
  static constexpr std::size_t kPumpBytes = 64 * 1024;  // for bodies that do not come with their head

  template <class Head>
  io::Task<Result<void>> read_head_of(Head& head, TimePoint deadline);

  io::Stream& stream_;
  Side side_;
  http::HeadLimits limits_;
  Buffer head_;  // the head at its front (views into it are out), then octets that came with it
  std::size_t head_octets_ = 0;  // of the head being served; 0 between messages
  std::size_t used_ = 0;         // octets behind the head that are done with
  Buffer pump_;
  http::BodyDecoder body_;
};

}  // namespace stateway::wire
