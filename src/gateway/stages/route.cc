#include "gateway/stages/route.h"

#include "base/bytes.h"
#include "gateway/on_loop.h"
#include "gateway/respond.h"
#include "http/authority.h"
#include "http/forwarding.h"
#include "http/websocket.h"

namespace stateway::gateway {
namespace {

using http::FieldId;

std::string request_id(const Exchange& x) {
  const std::string_view received = x.request.fields.value_of(FieldId::x_request_id);
  if (http::is_valid_request_id(received) && x.request.fields.count(FieldId::x_request_id) == 1)
    return std::string(received);
  std::array<std::byte, 12> bits;
  x.on.random.fill(bits);
  return base64url_encode(bits);
}

// A trusted proxy knows better than our own connection, which may be TLS although the client's was not.
bool came_by_tls(const Exchange& x) {
  const std::string_view said =
      x.trusted_peer ? x.request.fields.value_of(FieldId::x_forwarded_proto) : std::string_view();
  return said.empty() ? x.client.tls != nullptr : equals_ignoring_case(said, "https");
}

}  // namespace

io::Task<Result<Verdict>> RouteStage::enter(Exchange& x) {
  x.id = request_id(x);
  x.trusted_peer = x.config->trusts(x.client.peer);
  x.secure = came_by_tls(x);
  auto target = http::parse_target(x.request.method, x.request.target);
  if (!target) co_return pass_on(std::move(target));
  x.target = std::move(*target);
  const auto host = http::effective_host(x.request, x.target.authority);
  if (!host) co_return fail(host.error().code, Side::client, host.error().context);
  x.host = *host;
  x.websocket = http::is_websocket_upgrade(x.request);
  for (const http::Field& f : x.request.fields)
    if (f.id == FieldId::expect && !equals_ignoring_case(f.value, "100-continue"))
      co_return fail(Code::expectation_failed, Side::client, "only 100-continue is understood");

  route::Table::Match match = x.config->routes.find(x.host, x.target.path(), x.request.method_text);
  if (match.route != nullptr) {
    x.route = match.route;
    x.use = &x.config->uses[match.index];
    x.service = x.on_config->services[x.use->service];
    x.on_config.reset();  // a long exchange must not keep the services that others used
    co_return Verdict();
  }
  if (match.allow.empty()) co_return fail(Code::no_route, Side::client);
  OwnResponse refusal = problem_response(x, Error{Code::method_not_allowed, Side::client, Retry::never, {}});
  refusal.fields.emplace_back("Allow", std::move(match.allow));
  co_return Verdict(std::move(refusal));
}

}  // namespace stateway::gateway
