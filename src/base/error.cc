#include "base/error.h"

namespace stateway {

// tidy: function-length: a table; as a switch, so that the compiler misses no Code.
std::string_view code_name(Code code) {
  switch (code) {
    case Code::incomplete:
      return "incomplete";
    case Code::bad_request_line:
      return "bad-request-line";
    case Code::bad_status_line:
      return "bad-status-line";
    case Code::bad_field:
      return "bad-field";
    case Code::bad_framing:
      return "bad-framing";
    case Code::bad_chunk:
      return "bad-chunk";
    case Code::bad_target:
      return "bad-target";
    case Code::bad_host:
      return "bad-host";
    case Code::target_too_long:
      return "target-too-long";
    case Code::head_too_large:
      return "head-too-large";
    case Code::head_timeout:
      return "head-timeout";
    case Code::body_too_large:
      return "body-too-large";
    case Code::body_timeout:
      return "body-timeout";
    case Code::version_unsupported:
      return "version-unsupported";
    case Code::expectation_failed:
      return "expectation-failed";
    case Code::no_route:
      return "no-route";
    case Code::method_not_allowed:
      return "method-not-allowed";
    case Code::origin_forbidden:
      return "origin-forbidden";
    case Code::draining:
      return "draining";
    case Code::no_instance:
      return "no-instance";
    case Code::instance_lost:
      return "instance-lost";
    case Code::queue_full:
      return "queue-full";
    case Code::connect_failed:
      return "connect-failed";
    case Code::connect_timeout:
      return "connect-timeout";
    case Code::response_timeout:
      return "response-timeout";
    case Code::bad_response:
      return "bad-response";
    case Code::outcome_unknown:
      return "outcome-unknown";
    case Code::upstream_closed:
      return "upstream-closed";
    case Code::bad_patch:
      return "bad-patch";
    case Code::patch_test_failed:
      return "patch-test-failed";
    case Code::overlap:
      return "overlap";
    case Code::document_too_large:
      return "document-too-large";
    case Code::conflict:
      return "conflict";
    case Code::session_ended:
      return "session-ended";
    case Code::sessions_full:
      return "sessions-full";
    case Code::lane_full:
      return "lane-full";
    case Code::not_found:
      return "not-found";
    case Code::store_unavailable:
      return "store-unavailable";
    case Code::store_poisoned:
      return "store-poisoned";
    case Code::timeout:
      return "timeout";
    case Code::closed:
      return "closed";
    case Code::cancelled:
      return "cancelled";
    case Code::io:
      return "io";
    case Code::invalid_argument:
      return "invalid-argument";
    case Code::unauthorized:
      return "unauthorized";
    case Code::forbidden:
      return "forbidden";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace stateway
