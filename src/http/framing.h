// How long a message body is (RFC 9112 §6), decided from the raw fields and refused where two readers could
// differ.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace stateway::http {

struct Framing {
  enum class Kind : std::uint8_t {
    none,        // no body: the message ends with its head
    length,      // `length` octets
    chunked,     // RFC 9112 §7.1
    until_close  // responses only: the body ends with the connection
  };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // octets, for Kind::length; may be 0

  bool operator==(const Framing&) const = default;
};

/// Error, Side::client: bad_framing for Content-Length with Transfer-Encoding; a length that is not digits,
/// is 2^63 or more, or comes twice or as a list, even of equal values; any Transfer-Encoding other than
/// exactly one `chunked`, or any at all in HTTP/1.0. Pure.
Result<Framing> request_framing(const RequestHead& head);

/// The same rules, Side::upstream, whatever the status. HEAD, 1xx, 204 and 304 give Kind::none: their length
/// fields describe what is not sent. `request_method` is the one that was sent upstream.
Result<Framing> response_framing(const ResponseHead& head, Method request_method);

/// Whether one of the Connection fields names `option` (ASCII case ignored). RFC 9110 §7.6.1.
bool has_connection_option(const Fields& fields, std::string_view option);

/// Whether the sender lets the connection live on after this message (RFC 9112 §9.3): HTTP/1.1 without
/// `close`, or HTTP/1.0 with `keep-alive` and without `close`. A body of Kind::until_close ends the
/// connection all the same.
bool keep_alive(const RequestHead& head);
bool keep_alive(const ResponseHead& head);

}  // namespace stateway::http
