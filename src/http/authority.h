// Host names with their optional ports, as they stand in the Host field and in targets.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace stateway::http {

/// `uri-host [ ":" port ]` with a non-empty host: a reg-name, an IPv4 address or a bracketed IPv6 address; no
/// user information, no zone, port at most 65535 (it may be empty). RFC 3986 §3.2. Pure.
bool is_valid_authority(std::string_view authority);

/// The host of a valid authority without its port; IPv6 keeps its brackets. A view into `authority`.
std::string_view host_of(std::string_view authority);

/// The host (and port, if one was sent) that a request is for. `target_authority` is that of an absolute or
/// authority-form target, else empty; it beats the Host field, which must be valid all the same.
/// Empty for an HTTP/1.0 request without either.
/// Error, Side::client: bad_host when Host is missing in HTTP/1.1, comes twice, or is malformed or empty.
/// A view into the head or `target_authority`. RFC 9112 §3.2.
Result<std::string_view> effective_host(const RequestHead& head, std::string_view target_authority);

}  // namespace stateway::http
