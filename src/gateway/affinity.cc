#include "gateway/affinity.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/forwarding.h"
#include "http/octets.h"
#include "upstream/balancer.h"

namespace stateway::gateway {
namespace {

bool goes_by_session(const Exchange& x) {
  return x.service_options().balance == upstream::Balance::hash ||
         x.session->kind->placement == session::Placement::hybrid;
}

std::string_view header_value(const Exchange& x, std::string_view name) {
  for (const http::Field& f : x.request.fields)
    if (equals_ignoring_case(f.name, name)) return f.value;
  return {};
}

std::string_view key_text(const Exchange& x, const route::Affinity& affinity) {
  using Kind = route::Affinity::Kind;
  switch (affinity.kind) {
    case Kind::header:
      return header_value(x, affinity.name);
    case Kind::path:
      return path_segment(x.target.path(), affinity.segment);
    case Kind::query:
      return query_value(x.target.query, affinity.name);
    case Kind::client_ip:
      return client_address(x.request.fields, x.client.peer, *x.config);
  }
  return {};
}

}  // namespace

std::string_view path_segment(std::string_view path, unsigned number) {
  for (unsigned i = 0; i < number; ++i) {
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
  return path.substr(0, path.find('/'));
}

std::string_view query_value(std::string_view query, std::string_view name) {
  if (!query.empty()) query.remove_prefix(1);
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return part.substr(name.size() + 1);
  }
  return {};
}

std::string_view client_address(const http::Fields& received, std::string_view peer, const Snapshot& config) {
  if (!config.trusts(peer)) return peer;
  const std::vector<std::string_view> hops = http::forwarded_for(received);
  if (hops.empty()) return peer;
  const auto untrusted =
      std::find_if_not(hops.rbegin(), hops.rend(), [&](std::string_view hop) { return config.trusts(hop); });
  return untrusted == hops.rend() ? hops.front() : *untrusted;
}

std::optional<std::uint64_t> affinity_key(const Exchange& x) {
  std::string_view text;
  if (x.route->affinity)
    text = key_text(x, *x.route->affinity);
  else if (x.session && goes_by_session(x))
    text = x.session->ticket.id();
  if (text.empty()) return std::nullopt;
  return upstream::stable_hash(text);
}

}  // namespace stateway::gateway
