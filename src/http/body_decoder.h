// Takes a message body out of the bytes of its connection, without copying and without buffering more than a
// trailer section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/framing.h"

namespace stateway::http {

struct BodyLimits {
  std::size_t chunk_line_bytes_max = 4096;    // one chunk size with its extensions, which are skipped
  std::size_t trailer_bytes_max = 16 * 1024;  // the whole trailer section, like a head
  std::size_t trailer_fields_max = 100;
};

/// Name and value, owned: trailers outlive the bytes they came in.
using Trailers = std::vector<std::pair<std::string, std::string>>;

/// One message's body. Belongs to one connection; not thread-safe. RFC 9112 §6, §7.1.
class BodyDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // octets of `input` that are done with, framing and `data` together
    std::string_view data;     // body octets: a view into `input`
    bool done = false;         // the body has ended; what follows in `input` is the next message
  };

  /// `side` is who sends the body; errors carry it.
  explicit BodyDecoder(Framing framing, Side side, BodyLimits limits = {});

  /// Takes framing octets and then at most one contiguous run of data off the front of `input`. Without data
  /// and not done, all of `input` was consumed and more is needed. Call again with what is left (`input` from
  /// `consumed` on) until that is empty or the body is done.
  /// Errors: bad_chunk (size not 1–16 hexadecimal digits, an extension or trailer with a control octet, bare
  /// CR or LF, a line over limits.chunk_line_bytes_max, no CRLF behind the data), bad_field (a malformed
  /// trailer, or trailers over their limits). After an error the decoder is of no more use.
  Result<Step> next(std::string_view input);

  bool done() const { return state_ == State::done; }

  /// The connection's stream has ended. Ends a body of Kind::until_close; fails any other that is not done
  /// with Code::closed (Side::client) or Code::upstream_closed (Side::upstream).
  Result<void> finish_at_eof();

  /// Octets of a Kind::length body or of the current chunk that are still to come.
  std::uint64_t remaining() const { return remaining_; }

  /// Fields of the trailer section, complete once done(); unfiltered, see forwarding.h.
  const Trailers& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t {
    identity,  // remaining_ octets of data, then the end
    until_close,
    size_first,  // a chunk size must begin
    size,
    size_blank,  // blanks behind the size: an extension must follow
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    done,
  };

  std::unexpected<Error> bad(const char* why) const { return fail(Code::bad_chunk, side_, why); }
  Result<void> take_chunk_octet(char c);
  Result<std::size_t> take_trailer(std::string_view input);
  void end_size_line();

  State state_;
  Side side_;
  BodyLimits limits_;
  std::uint64_t remaining_ = 0;
  std::size_t line_bytes_ = 0;  // of the chunk line, or of the trailer section so far
  std::uint8_t digits_ = 0;
  std::string trailer_line_;  // the part of a trailer line that has come
  Trailers trailers_;
};

}  // namespace stateway::http
