// The one error type of the data path. What went wrong (Code), whose fault it was (Side), and whether the
// same work may be tried again (Retry). gateway/problem.cc holds the one table Code → status, problem type,
// log level.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace stateway {

enum class Code : std::uint8_t {
  // bytes from a peer (http)
  incomplete,           // more input may still help; never leaves a parser's caller
  bad_request_line,     // RFC 9112 §3
  bad_status_line,      // RFC 9112 §4
  bad_field,            // RFC 9112 §5: bare CR, NUL, obs-fold, space before the colon, not a token
  bad_framing,          // RFC 9112 §6: lengths or codings that smuggling lives on
  bad_chunk,            // RFC 9112 §7.1
  bad_target,           // RFC 9112 §3.2, or a path the route's rules forbid
  bad_host,             // RFC 9110 §7.2: missing, double or malformed
  target_too_long,      // limits.target
  head_too_large,       // limits.head, limits.fields
  head_timeout,         // limits.head_timeout
  body_too_large,       // route.max_body
  body_timeout,         // the client stopped sending its body
  version_unsupported,  // neither HTTP/1.0 nor HTTP/1.1
  expectation_failed,   // an Expect we do not know, RFC 9110 §10.1.1
  // routing and admission
  no_route,
  method_not_allowed,
  origin_forbidden,  // a WebSocket from a page that is neither ours nor listed
  draining,          // the gateway is stopping
  // instances
  no_instance,    // every instance is down, and the queue's wait ended
  instance_lost,  // the one that has the session in its memory is gone, and the session with it
  queue_full,
  connect_failed,
  connect_timeout,
  tls_failed,             // no handshake: the peer does not speak TLS, or not with us
  certificate_untrusted,  // of nobody we trust, or not valid now
  certificate_name,       // of somebody else
  response_timeout,
  bad_response,     // the instance did not answer with valid HTTP
  outcome_unknown,  // an unsafe request was sent and never answered
  upstream_closed,  // the instance closed the connection before or inside its answer
  // sessions
  bad_patch,          // does not parse or apply, duplicate names, inexact numbers
  patch_test_failed,  // a JSON Patch `test`
  overlap,            // overlap = "refuse", or "again" used up its attempts
  document_too_large,
  conflict,       // a store condition did not hold; the current record comes along
  session_ended,  // the session was ended while the exchange ran
  sessions_full,  // store.sessions_max
  lane_full,
  lease_lost,  // lane = "serial": another gateway has taken the session's turn meanwhile
  not_found,
  // the store
  store_unavailable,
  not_durable,     // committed, but on fewer disks or servers than configured
  store_poisoned,  // an append or sync failed; writes are refused until restart
  // plumbing
  timeout,
  closed,            // the peer ended the stream
  cancelled,         // its owner gave up
  io,                // any other errno, in the context
  invalid_argument,  // bad input from an operator: configuration, admin API, command line
  unauthorized,
  forbidden,
  internal,  // a bug of ours that could be contained
  kLast = internal,
};

enum class Side : std::uint8_t { client, upstream, store, self };
enum class Retry : std::uint8_t { never, always, reused_only };

struct Error {
  Code code = Code::internal;
  Side side = Side::self;
  Retry retry = Retry::never;
  std::string context;  // for the log and, from client-side codes, the problem's detail; no secrets
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for the unhappy path: `return fail(Code::bad_field, Side::client, "space before the colon");`
inline std::unexpected<Error> fail(Code code, Side side = Side::self, std::string context = {},
                                   Retry retry = Retry::never) {
  return std::unexpected<Error>(Error{code, side, retry, std::move(context)});
}

/// Hands an error of one Result on as that of another.
template <class T>
std::unexpected<Error> pass_on(Result<T>&& r) {
  return std::unexpected<Error>(std::move(r).error());
}

/// The code's stable name in kebab case ("bad-field"): problem type, metric label, log field.
std::string_view code_name(Code code);

}  // namespace stateway
