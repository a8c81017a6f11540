#include "gateway/stages/admit.h"

#include <algorithm>

#include "base/bytes.h"

namespace stateway::gateway {
namespace {

// A browser sends cookies with cross-site WebSocket handshakes and asks nobody: the server must look at
// Origin (RFC 6455 §10.2). No Origin: not a browser.
bool origin_is_allowed(const Exchange& x) {
  if (!x.request.fields.has(http::FieldId::origin)) return true;
  const std::string_view origin = x.request.fields.value_of(http::FieldId::origin);
  const std::string ours = (x.secure ? "https://" : "http://") + std::string(x.host);
  if (equals_ignoring_case(origin, ours)) return true;
  return std::ranges::any_of(x.route->origins,
                             [&](const std::string& listed) { return equals_ignoring_case(origin, listed); });
}

}  // namespace

io::Task<Result<Verdict>> AdmitStage::enter(Exchange& x) {
  const std::uint64_t most = x.route->max_body_bytes;
  if (most != 0 && x.framing.kind == http::Framing::Kind::length && x.framing.length > most)
    co_return fail(Code::body_too_large, Side::client,
                   "this route takes at most " + std::to_string(most) + " octets");
  if (x.websocket && x.route->session && !origin_is_allowed(x))
    co_return fail(Code::origin_forbidden, Side::client);
  co_return Verdict();
}

}  // namespace stateway::gateway
