#include "admin/api.h"

#include <optional>

#include "admin/resources.h"

namespace stateway::admin {
namespace {

using http::Method;

struct Entry {
  Method method;             // get also answers HEAD
  std::string_view pattern;  // {} stands for one segment that is not empty
  Answer (*answer)(const Call&);
};

constexpr Entry kEntries[] = {
    {Method::get, "/healthz", get_healthz},
    {Method::get, "/readyz", get_readyz},
    {Method::get, "/v1/status", get_status},
    {Method::post, "/v1/reload", reload},
    {Method::get, "/v1/services", get_services},
    {Method::post, "/v1/services/{}/instances/{}/restart", restart_instance},
    {Method::post, "/v1/services/{}/instances/{}/drain", drain_instance},
    {Method::post, "/v1/services/{}/instances/{}/undrain", undrain_instance},
    {Method::post, "/v1/services/{}/scale", scale_service},
    {Method::get, "/v1/routes", get_routes},
    {Method::get, "/v1/configuration", get_configuration},
    {Method::get, "/v1/sessions", list_sessions},
    {Method::get, "/v1/sessions/{}", get_session},
    {Method::delete_, "/v1/sessions/{}", end_session},
    {Method::get, "/v1/keys", get_keys},
    {Method::post, "/v1/keys/rotate", rotate_keys},
    {Method::post, "/v1/store/backup", back_up_store},
    {Method::post, "/v1/store/copy", copy_store},
};

using Names = std::array<std::string_view, 2>;

std::string_view take_segment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size() < path.size() ? segment.size() + 1 : segment.size());
  return segment;
}

std::optional<Names> match(std::string_view pattern, std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/')) return std::nullopt;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  Names names;
  std::size_t count = 0;
  while (!pattern.empty()) {
    const std::string_view expected = take_segment(pattern);
    const std::string_view segment = take_segment(path);
    if (expected == "{}" && !segment.empty()) {
      names.at(count++) = segment;
    } else if (segment != expected) {
      return std::nullopt;
    }
  }
  if (!path.empty()) return std::nullopt;
  return names;
}

wire::Response refuse_method(std::string_view allow) {
  const Error error{.code = Code::method_not_allowed, .side = Side::client, .context = {}};
  wire::Response response = problem_response(error);
  response.fields.emplace_back("Allow", allow);
  return response;
}

}  // namespace

io::Task<wire::Response> Api::answer(const wire::Request& request) {
  const Method method = request.head.method == Method::head ? Method::get : request.head.method;
  std::string allow;
  for (const Entry& entry : kEntries) {
    const std::optional<Names> names = match(entry.pattern, request.target.path());
    if (!names) continue;
    if (entry.method == method) {
      const Call call{.sources = sources_, .request = request, .names = *names};
      co_return co_await entry.answer(call);
    }
    if (!allow.empty()) allow += ", ";
    allow += entry.method == Method::get ? "GET, HEAD" : entry.method == Method::post ? "POST" : "DELETE";
  }
  co_return allow.empty() ? not_found("call; docs/admin-api.md lists them") : refuse_method(allow);
}

io::Task<wire::Response> Api::handle(const wire::Request& request) {
  wire::Response response;
  const AccessRules rules{.own = own_, .token = sources_.in_force.token};
  if (std::optional<wire::Response> refused = refuse(rules, request.head, request.target)) {
    response = std::move(*refused);
  } else {
    response = co_await answer(request);
  }
  response.fields.emplace_back("Cache-Control", "no-store");
  response.fields.emplace_back("X-Content-Type-Options", "nosniff");
  co_return response;
}

}  // namespace stateway::admin
