#include "lab/services.h"

#include <boost/json.hpp>

#include "wire/client.h"

namespace stateway::lab {
namespace {

namespace bj = boost::json;

std::string text_of(const bj::object& object, std::string_view name) {
  const bj::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const bj::array* array_of(const bj::value& value, std::string_view name) {
  const bj::object* object = value.if_object();
  const bj::value* member = object == nullptr ? nullptr : object->if_contains(name);
  return member == nullptr ? nullptr : member->if_array();
}

}  // namespace

Result<std::vector<InstanceInfo>> parse_services(std::string_view body) {
  bj::error_code wrong;
  const bj::value parsed = bj::parse(body, wrong);
  const bj::array* services = wrong ? nullptr : array_of(parsed, "services");
  if (services == nullptr) return fail(Code::bad_response, Side::upstream, "no list of services");
  std::vector<InstanceInfo> out;
  for (const bj::value& service : *services) {
    const bj::array* instances = array_of(service, "instances");
    if (instances == nullptr) return fail(Code::bad_response, Side::upstream, "a service without instances");
    for (const bj::value& instance : *instances) {
      const bj::object* object = instance.if_object();
      if (object == nullptr) return fail(Code::bad_response, Side::upstream, "an instance is not an object");
      const bj::value* pid = object->if_contains("pid");
      out.push_back({.service = text_of(service.get_object(), "name"),
                     .name = text_of(*object, "name"),
                     .address = text_of(*object, "address"),
                     .state = text_of(*object, "state"),
                     .pid = pid != nullptr && pid->is_int64() ? static_cast<pid_t>(pid->get_int64()) : 0});
    }
  }
  return out;
}

io::Task<Result<std::vector<InstanceInfo>>> read_services(io::Network& network, Address admin,
                                                          TimePoint deadline) {
  auto stream = co_await network.connect(admin, deadline);
  if (!stream) co_return pass_on(std::move(stream));
  wire::Client client(std::move(*stream), {});
  const std::string host = to_string(admin);
  wire::ClientRequest request;
  request.target = "/v1/services";
  request.host = host;
  const auto response = co_await client.exchange(request, deadline);
  if (!response) co_return std::unexpected(response.error());
  if (response->status != 200)
    co_return fail(Code::bad_response, Side::upstream,
                   "the admin API answered " + std::to_string(response->status));
  co_return parse_services(response->body);
}

io::Task<std::vector<pid_t>> ServiceTargets::alive() {
  const auto instances = co_await read_services(network_, admin_, loop_.now() + 2s);
  std::vector<pid_t> out;
  if (!instances) co_return out;
  for (const InstanceInfo& instance : *instances)
    if (instance.service == service_ && instance.pid > 0) out.push_back(instance.pid);
  co_return out;
}

}  // namespace stateway::lab
