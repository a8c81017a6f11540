#include <algorithm>

#include "admin/resources.h"
#include "base/log.h"

namespace stateway::admin {
namespace {

void add_members(JsonWriter& json, const upstream::InstanceSnapshot& instance) {
  json.member("name", instance.name);
  json.member_or_null("address", instance.address);
  json.member("state", upstream::state_name(instance.state));
  if (instance.pid != 0)
    json.member("pid", instance.pid);
  else
    json.member_json("pid", "null");
  json.member("active", instance.active);
  json.member("requests", instance.requests);
  json.member("failures", instance.failures);
  json.member("restarts", instance.restarts);
  json.member_time("since", instance.since);
  json.member_or_null("last_error", instance.last_error);
}

}  // namespace

Answer get_services(const Call& call) {
  JsonWriter json;
  json.begin_array("services");
  for (const auto& service : call.sources.in_force.services) {
    const upstream::ServiceSnapshot snapshot = service->snapshot();
    json.begin_object();
    json.member("name", snapshot.name);
    json.member("supervised", snapshot.supervised);
    json.member("waiting", snapshot.waiting);
    json.member("retrying", snapshot.retrying);
    json.begin_array("instances");
    for (const upstream::InstanceSnapshot& instance : snapshot.instances) {
      json.begin_object();
      add_members(json, instance);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  co_return json_response(200, std::move(json));
}

Answer restart_instance(const Call& call) {
  const Sources& sources = call.sources;
  const auto [service_name, instance_name] = call.names;
  const auto& services = sources.in_force.services;
  const auto service =
      std::ranges::find_if(services, [&](const auto& s) { return s->name() == service_name; });
  if (service == services.end()) co_return not_found("service");
  const std::shared_ptr<upstream::Instance> instance = (*service)->find(instance_name);
  if (instance == nullptr) co_return not_found("instance");
  if (!(*service)->roster()->supervised())
    co_return wire::problem_response(409, "not-supervised", "The gateway does not run this instance",
                                     "only instances of a service with a command can be restarted");
  if (sources.draining.load()) {
    const Error stopping{.code = Code::draining, .context = {}};
    co_return problem_response(stopping);
  }

  if (const auto begun = sources.restart(service_name, instance_name); !begun)
    co_return problem_response(begun.error());
  log::info("restarting an instance at an operator's wish",
            {{"instance", instance_name}, {"peer", call.request.peer}});
  JsonWriter json;
  add_members(json, instance->snapshot());
  co_return json_response(202, std::move(json));
}

}  // namespace stateway::admin
