// Writes heads and chunks. Everything appends to a string the caller reuses; nothing else allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/body_decoder.h"
#include "http/message.h"
#include "http/octets.h"

namespace stateway::http {

/// `METHOD SP target SP HTTP/1.1 CRLF`. Both come from a parsed head or are our own. RFC 9112 §3.
void append_request_line(std::string& out, std::string_view method, std::string_view target);
/// `HTTP/1.1 SP status SP reason CRLF`; status 100–999. RFC 9112 §4.
void append_status_line(std::string& out, int status, std::string_view reason);

/// `name: value CRLF`. For fields that a parser accepted: they cannot break out of their line.
inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}
inline void append_field(std::string& out, const Field& field) { append_field(out, field.name, field.value); }
/// The same for values made by ourselves; CHECKs that name and value are valid, since a CR or LF that slipped
/// into one would split the message. What came from outside in another way than a head (a file, a store, a
/// URL's decoded part) must pass is_valid_field_value first.
void append_own_field(std::string& out, std::string_view name, std::string_view value);
/// `name: 123 CRLF`.
void append_field(std::string& out, std::string_view name, std::uint64_t value);
/// The empty line that ends a head.
inline void end_head(std::string& out) { out.append("\r\n"); }

/// The line in front of a chunk's data, held by value: a chunk is re-encoded by sending this, the data as it
/// was read, and kChunkEnd, with no copy and no allocation.
class ChunkHeader {
 public:
  /// `size` is the number of data octets; > 0, because an empty chunk ends the body (CHECKed).
  explicit ChunkHeader(std::uint64_t size);
  std::string_view view() const { return std::string_view(text_.data() + first_, text_.size() - first_); }

 private:
  std::array<char, 18> text_;  // 16 digits and CRLF, right-aligned
  std::uint8_t first_;
};
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";  // without trailers

/// Ends a chunked body with trailers that a BodyDecoder accepted. RFC 9112 §7.1.2.
void append_last_chunk(std::string& out, const Trailers& trailers);

}  // namespace stateway::http
