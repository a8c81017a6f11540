// What changes when a message is passed on: fields of one connection go, traces of this hop come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace stateway::http {

/// The fields of one received head that end at this hop (RFC 9110 §7.6.1). Views into the head.
class HopByHop {
 public:
  explicit HopByHop(const Fields& received);

  /// Connection, Keep-Alive, Proxy-*, TE, Transfer-Encoding, Upgrade, HTTP2-Settings, and what the Connection
  /// fields name. A name the gateway itself relies upon (every FieldId but `other`, so `Stateway-*`, Host,
  /// Content-Length, Cookie, Authorization, X-Forwarded-* …) cannot be removed by naming it there.
  /// `Stateway-*` fields are another matter: inbound ones are dropped by whoever adds our own.
  bool drops(const Field& field) const;

 private:
  std::vector<std::string_view> named_;
};

/// Whether a trailer may be passed on: none may stand in for a field that frames, routes, authenticates or
/// carries session state (RFC 9110 §6.5.1), which is every one that has a FieldId.
bool may_forward_trailer(std::string_view name);

/// `Via` with the received one in front: `Via: 1.1 up, 1.1 stateway CRLF`. `minor` is that of the received
/// message. RFC 9110 §7.6.3.
void append_via(std::string& out, const Fields& received, int minor);

/// The hop a request came over.
struct Hop {
  std::string_view client_address = {};  // numeric, IPv6 without brackets; empty for a unix socket
  std::string_view host = {};            // the effective host; may be empty
  std::string_view proto = {};           // "http" or "https"
  bool trusted = false;                  // the peer is one of gateway.trusted_proxies
};

/// Appends Forwarded (RFC 7239), X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto. From a trusted peer
/// the received Forwarded and X-Forwarded-For are kept in front of ours, and its X-Forwarded-Host and -Proto
/// stay; from any other peer what was received counts for nothing.
void append_forwarded(std::string& out, const Fields& received, const Hop& hop);

/// The addresses of the hops before this one as X-Forwarded-For names them, or else Forwarded's `for`, in the
/// order received: the nearest hop is the last. Without ports, brackets and quotes; whoever wrote them is
/// believed only so far as a trusted peer put something behind. Views into `received`. RFC 7239 §5.2.
std::vector<std::string_view> forwarded_for(const Fields& received);

/// Whether append_via and append_forwarded stand in for this received request field, so that it must not be
/// copied: Via, Forwarded, X-Forwarded-For, -Host, -Proto; and every other `X-Forwarded-*` unless the peer is
/// trusted.
bool is_rewritten(FieldId id, bool trusted);

/// 1–128 of `[A-Za-z0-9._-]`.
bool is_valid_request_id(std::string_view id);

}  // namespace stateway::http
