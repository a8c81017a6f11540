// The WebSocket handshake (RFC 6455 §4), of which a gateway only decides whether a tunnel may open.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace stateway::http {

/// A well-formed opening handshake: GET, HTTP/1.1, no body, `Connection: upgrade`, exactly one Upgrade field
/// with exactly `websocket`, one Sec-WebSocket-Key of 16 octets in base64, Sec-WebSocket-Version 13. RFC 6455
/// §4.2.1. Anything else that carries Upgrade is an ordinary request whose Upgrade is dropped.
bool is_websocket_upgrade(const RequestHead& head);

/// The Sec-WebSocket-Accept that answers `key`.
std::string websocket_accept(std::string_view key);

/// Whether `head` completes the handshake begun with `key`: 101, HTTP/1.1, `Connection: upgrade`,
/// `Upgrade: websocket` and the accept that belongs to `key`, each exactly once. RFC 6455 §4.1.
bool accepts_websocket(const ResponseHead& head, std::string_view key);

}  // namespace stateway::http
