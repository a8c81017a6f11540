#include "admin/resources.h"

namespace stateway::admin {
namespace {

void add(std::string& reasons, std::string_view reason) {
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

/// What keeps new requests from being served; empty when nothing does.
std::string reasons_not_ready(const Sources& sources) {
  std::string reasons;
  if (sources.draining.load()) add(reasons, "the gateway is stopping");
  for (const auto& service : sources.in_force.services)
    if (!service->available()) add(reasons, "service " + service->name() + " has no available instance");
  if (sources.store.stats().poisoned)
    add(reasons, "the store takes no writes until the gateway is restarted");
  return reasons;
}

}  // namespace

Answer get_healthz(const Call&) { co_return text_response("ok"); }

Answer get_readyz(const Call& call) {
  const std::string reasons = reasons_not_ready(call.sources);
  if (reasons.empty()) co_return text_response("ok");
  wire::Response response = wire::problem_response(503, "not-ready", "The gateway is not ready", reasons);
  response.fields.emplace_back("Retry-After", "1");
  co_return response;
}

}  // namespace stateway::admin
