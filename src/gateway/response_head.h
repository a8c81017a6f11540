// The head of a response as the client gets it.
#pragma once

#include <string>

#include "gateway/exchange.h"
#include "http/framing.h"

namespace stateway::gateway {

/// How the body goes to this client: like the instance's, but an HTTP/1.0 client cannot take chunks, and a
/// body that ends with the instance's connection gets chunks.
http::Framing client_framing(const Exchange& x);

/// Appends the head of x.answer's response. `keep_alive`: the client's connection goes on.
/// Dropped: hop-by-hop fields and Stateway-*. Added: Date, our session cookie, Stateway-Commit,
/// debug headers.
void append_answer_head(std::string& out, const Exchange& x, http::Framing framing, bool keep_alive);
/// An interim (1xx) answer.
void append_interim_head(std::string& out, const Exchange& x, const http::ResponseHead& head);
/// A response of our own, with Content-Length.
void append_own_head(std::string& out, const Exchange& x, const OwnResponse& response, bool keep_alive);

/// A 101 that matches the client's WebSocket handshake.
bool opens_tunnel(const Exchange& x, const http::ResponseHead& head);

}  // namespace stateway::gateway
