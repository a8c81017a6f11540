#include "gateway/problem.h"

#include "base/check.h"

namespace stateway::gateway {
namespace {

using enum log::Level;
constexpr bool kRetry = true, kFinal = false;
constexpr bool kShown = true, kHidden = false;

constexpr ProblemRow kRows[] = {
    {Code::incomplete, 400, "The message is incomplete", debug, kFinal, kHidden},
    {Code::bad_request_line, 400, "The request line is malformed", info, kFinal, kShown},
    {Code::bad_status_line, 502, "The service answered with malformed HTTP", warn, kFinal, kHidden},
    {Code::bad_field, 400, "A header field is malformed", info, kFinal, kShown},
    {Code::bad_framing, 400, "The length of the message is ambiguous", info, kFinal, kShown},
    {Code::bad_chunk, 400, "The chunked body is malformed", info, kFinal, kShown},
    {Code::bad_target, 400, "The request target is malformed", info, kFinal, kShown},
    {Code::bad_host, 400, "The Host field is missing or malformed", info, kFinal, kShown},
    {Code::target_too_long, 414, "The request target is too long", info, kFinal, kShown},
    {Code::head_too_large, 431, "The header fields are too large", info, kFinal, kShown},
    {Code::head_timeout, 408, "The request did not arrive in time", info, kFinal, kHidden},
    {Code::body_too_large, 413, "The body is larger than this route takes", info, kFinal, kShown},
    {Code::body_timeout, 408, "The body did not arrive in time", info, kFinal, kHidden},
    {Code::version_unsupported, 505, "Only HTTP/1.0 and HTTP/1.1 are served here", info, kFinal, kHidden},
    {Code::expectation_failed, 417, "The expectation is not known", info, kFinal, kShown},
    {Code::no_route, 404, "Nothing is served at this address", info, kFinal, kHidden},
    {Code::method_not_allowed, 405, "The method is not allowed here", info, kFinal, kHidden},
    {Code::origin_forbidden, 403, "WebSockets from this origin are not allowed", info, kFinal, kHidden},
    {Code::draining, 503, "The gateway is stopping", info, kRetry, kHidden},
    {Code::no_instance, 503, "No instance of the service is up", warn, kRetry, kHidden},
    {Code::instance_lost, 503, "The instance that kept this session is gone", warn, kRetry, kHidden},
    {Code::queue_full, 503, "Too many requests wait for the service", warn, kRetry, kHidden},
    {Code::connect_failed, 502, "The service cannot be reached", warn, kRetry, kHidden},
    {Code::connect_timeout, 504, "The service cannot be reached in time", warn, kRetry, kHidden},
    {Code::tls_failed, 502, "The service does not speak TLS as it should", warn, kFinal, kHidden},
    {Code::certificate_untrusted, 502, "The certificate of the service is not trusted", warn, kFinal,
     kHidden},
    {Code::certificate_name, 502, "The certificate of the service is for another name", warn, kFinal,
     kHidden},
    {Code::response_timeout, 504, "The service did not answer in time", warn, kRetry, kHidden},
    {Code::bad_response, 502, "The service answered with malformed HTTP", warn, kFinal, kHidden},
    {Code::outcome_unknown, 502, "The service broke off; the request may have taken effect", warn, kFinal,
     kHidden},
    {Code::upstream_closed, 502, "The service broke off before it answered", warn, kRetry, kHidden},
    {Code::bad_patch, 502, "The service answered with a session patch that does not apply", warn, kFinal,
     kHidden},
    {Code::patch_test_failed, 409, "The session has changed meanwhile", info, kRetry, kHidden},
    {Code::overlap, 409, "The session has changed meanwhile", info, kRetry, kHidden},
    {Code::document_too_large, 502, "The session would grow beyond its limit", warn, kFinal, kHidden},
    {Code::conflict, 409, "The session has changed meanwhile", warn, kRetry, kHidden},
    {Code::session_ended, 409, "The session has ended", info, kFinal, kHidden},
    {Code::sessions_full, 503, "No more sessions can be opened now", warn, kRetry, kHidden},
    {Code::lane_full, 503, "Too many requests of this session wait", info, kRetry, kHidden},
    {Code::lease_lost, 503, "Another gateway has taken the session's turn", warn, kRetry, kHidden},
    {Code::not_found, 404, "There is no such thing", debug, kFinal, kShown},
    {Code::store_unavailable, 503, "The session store does not answer", error, kRetry, kHidden},
    {Code::not_durable, 503, "The change is made, but too few servers have confirmed it", error, kFinal,
     kHidden},
    {Code::store_poisoned, 503, "The session store takes no writes", error, kRetry, kHidden},
    {Code::timeout, 504, "Something did not happen in time", warn, kRetry, kHidden},
    {Code::closed, 0, "The client has gone", debug, kFinal, kHidden},
    {Code::cancelled, 0, "The client has gone", debug, kFinal, kHidden},
    {Code::io, 0, "The connection broke", debug, kFinal, kHidden},
    {Code::invalid_argument, 400, "The request is not valid", info, kFinal, kShown},
    {Code::unauthorized, 401, "A token is needed", info, kFinal, kHidden},
    {Code::forbidden, 403, "This is not allowed", info, kFinal, kShown},
    {Code::internal, 500, "The gateway made a mistake", error, kFinal, kHidden},
};

}  // namespace

const ProblemRow& problem_row(Code code) {
  for (const ProblemRow& row : kRows)
    if (row.code == code) return row;
  CHECK(false);
}

}  // namespace stateway::gateway
