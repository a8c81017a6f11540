#include "route/table.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "http/authority.h"
#include "http/message.h"

namespace stateway::route {
namespace {

bool covers(std::string_view prefix, std::string_view path) {
  if (prefix == "/") return path.starts_with('/') || path == "*";
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool takes(const RouteOptions& route, std::string_view method) {
  if (route.methods.empty()) return true;
  const auto listed = [&](std::string_view m) {
    return std::ranges::find(route.methods, m) != route.methods.end();
  };
  return listed(method) || (method == "HEAD" && listed("GET"));
}

void list_once(std::string& list, std::string_view method) {
  std::string_view rest = list, listed;
  while (http::next_list_member(rest, listed))
    if (listed == method) return;
  if (!list.empty()) list += ", ";
  list += method;
}

}  // namespace

Table::Table(std::vector<RouteOptions> routes) : routes_(std::move(routes)), order_(routes_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::stable_sort(order_, [this](std::size_t a, std::size_t b) {
    const RouteOptions &x = routes_[a], &y = routes_[b];
    if (x.host.has_value() != y.host.has_value()) return x.host.has_value();
    if (x.path.size() != y.path.size()) return x.path.size() > y.path.size();
    return !x.methods.empty() && y.methods.empty();
  });
}

Table::Match Table::find(std::string_view host, std::string_view path, std::string_view method) const {
  const std::string_view name = http::host_of(host);
  const RouteOptions* known =
      nullptr;  // the first that covers host and path; from then on only its equals count
  Match out;
  for (const std::size_t i : order_) {
    const RouteOptions& route = routes_[i];
    if (known != nullptr && (route.host != known->host || route.path != known->path)) continue;
    if (route.host && !equals_ignoring_case(*route.host, name)) continue;
    if (!covers(route.path, path)) continue;
    if (takes(route, method)) return {&route, i, {}};
    known = &route;
    for (const std::string& m : route.methods) {
      list_once(out.allow, m);
      if (m == "GET") list_once(out.allow, "HEAD");
    }
  }
  return out;
}

}  // namespace stateway::route
