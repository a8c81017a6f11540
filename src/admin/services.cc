#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "admin/resources.h"
#include "base/log.h"
#include "json/value.h"

namespace stateway::admin {
namespace {

void add_members(JsonWriter& json, const upstream::InstanceSnapshot& instance) {
  json.member("name", instance.name);
  json.member_or_null("address", instance.address);
  json.member("state", upstream::state_name(instance.state));
  json.member_or_null("drain", instance.drain);
  if (instance.pid != 0)
    json.member("pid", instance.pid);
  else
    json.member_json("pid", "null");
  json.member("active", instance.active);
  json.member("requests", instance.requests);
  json.member("failures", instance.failures);
  json.member("restarts", instance.restarts);
  json.member_time("since", instance.since);
  json.member_time("ejected_until", instance.ejected_until);
  json.member_time("next_start", instance.next_start);
  json.member_or_null("last_error", instance.last_error);
}

void add_members(JsonWriter& json, const upstream::ServiceSnapshot& service) {
  json.member("name", service.name);
  json.member("supervised", service.supervised);
  if (service.supervised) {
    json.member("count", service.count);
    json.member("configured_count", service.configured_count);
  }
  json.member_or_null("rollout", service.rollout);
  json.member("waiting", service.waiting);
  json.member("retrying", service.retrying);
  json.begin_array("instances");
  for (const upstream::InstanceSnapshot& instance : service.instances) {
    json.begin_object();
    add_members(json, instance);
    json.end_object();
  }
  json.end_array();
}

upstream::Service* find_service(const Sources& sources, std::string_view name) {
  const auto& services = sources.in_force.services;
  const auto found = std::ranges::find_if(services, [&](const auto& s) { return s->name() == name; });
  return found == services.end() ? nullptr : found->get();
}

std::shared_ptr<upstream::Instance> find_instance(const Call& call) {
  const upstream::Service* service = find_service(call.sources, call.names[0]);
  return service == nullptr ? nullptr : service->find(call.names[1]);
}

wire::Response shown(int status, const upstream::Instance& instance) {
  JsonWriter json;
  add_members(json, instance.snapshot());
  return json_response(status, std::move(json));
}

wire::Response not_supervised(std::string_view detail) {
  return wire::problem_response(409, "not-supervised", "The gateway does not run these instances", detail);
}

wire::Response leaves() {
  return wire::problem_response(409, "instance-leaves", "The instance leaves the service",
                                "it is not asked for any more: add it to the configuration, or scale up");
}

wire::Response stopping() {
  const Error error{.code = Code::draining, .context = {}};
  return problem_response(error);
}

/// n of {"count":n} and nothing else.
Result<unsigned> read_count(std::string_view body) {
  constexpr std::string_view kBegin = R"({"count":)";
  const auto document = json::parse(body, {.bytes_max = 1024});
  const std::string line = document ? json::to_ascii(*document) : "";
  unsigned count = 0;
  if (line.starts_with(kBegin)) {
    const char* const end = line.data() + line.size();
    const auto [rest, error] = std::from_chars(line.data() + kBegin.size(), end, count);
    const bool whole = error == std::errc() && std::string_view(rest, end) == "}";
    if (whole && count >= 1 && count <= upstream::kCountMax) return count;
  }
  return fail(Code::invalid_argument, Side::client,
              fmt::format("the body must be {{\"count\":n}} with n from 1 to {}", upstream::kCountMax));
}

}  // namespace

Answer get_services(const Call& call) {
  JsonWriter json;
  json.begin_array("services");
  for (const auto& service : call.sources.in_force.services) {
    json.begin_object();
    add_members(json, service->snapshot());
    json.end_object();
  }
  json.end_array();
  co_return json_response(200, std::move(json));
}

Answer restart_instance(const Call& call) {
  const std::shared_ptr<upstream::Instance> instance = find_instance(call);
  if (instance == nullptr) co_return not_found("service or instance");
  if (!instance->supervised())
    co_return not_supervised("only instances of a service with a command can be restarted");
  if (instance->drains_for(upstream::Drain::removed)) co_return leaves();
  if (call.sources.draining.load()) co_return stopping();

  if (const auto begun = call.sources.restart(call.names[0], call.names[1]); !begun)
    co_return problem_response(begun.error());
  log::info("restarting an instance at an operator's wish",
            {{"instance", instance->name()}, {"peer", call.request.peer}});
  co_return shown(202, *instance);
}

Answer drain_instance(const Call& call) {
  const std::shared_ptr<upstream::Instance> instance = find_instance(call);
  if (instance == nullptr) co_return not_found("service or instance");
  instance->drain(upstream::Drain::wish);
  log::info("draining an instance at an operator's wish",
            {{"instance", instance->name()}, {"peer", call.request.peer}});
  co_return shown(200, *instance);
}

Answer undrain_instance(const Call& call) {
  const std::shared_ptr<upstream::Instance> instance = find_instance(call);
  if (instance == nullptr) co_return not_found("service or instance");
  if (instance->drains_for(upstream::Drain::removed)) co_return leaves();
  instance->undrain(upstream::Drain::wish);
  log::info("an instance gets requests again at an operator's wish",
            {{"instance", instance->name()}, {"peer", call.request.peer}});
  co_return shown(200, *instance);
}

Answer scale_service(const Call& call) {
  upstream::Service* service = find_service(call.sources, call.names[0]);
  if (service == nullptr) co_return not_found("service");
  if (!service->roster()->supervised())
    co_return not_supervised("only a service with a command can be scaled");
  const Result<unsigned> count = read_count(call.request.body);
  if (!count) co_return problem_response(count.error());
  if (call.sources.draining.load()) co_return stopping();

  service->scale(*count);
  call.sources.apply(service->name());
  log::info("scaling a service at an operator's wish",
            {{"service", service->name()}, {"count", *count}, {"peer", call.request.peer}});
  JsonWriter json;
  add_members(json, service->snapshot());
  co_return json_response(202, std::move(json));
}

}  // namespace stateway::admin
