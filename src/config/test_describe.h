// A Config as text, so that tests can compare all of it at once. Tests only: it reveals tokens.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "config/config.h"

namespace stateway::config {

inline std::string describe(const std::optional<Secret>& token) {
  return token ? std::string(token->reveal()) : "-";
}

inline std::string describe(const upstream::ServiceOptions& s) {
  std::vector<std::string> instances;
  for (const Address& address : s.instances) instances.push_back(to_string(address));
  const auto& h = s.health;
  return fmt::format(
      "service {} instances=[{}]\n  command=[{}] count={} socket={} token={}\n"
      "  balance={} health={} retry={},{}\n"
      "  timeout={},{},{} concurrency={} queue={}\n"
      "  drain={} crash={} slow={} eject={},{},{}\n",
      s.name, fmt::join(instances, " "), fmt::join(s.command, " "), s.count, s.socket, describe(s.token),
      static_cast<int>(s.balance),
      h ? fmt::format("{},{},{},{},{}", h->path, h->interval.count(), h->timeout.count(), h->fall, h->rise)
        : "-",
      s.retry.attempts, s.retry.budget, s.timeout.connect.count(), s.timeout.response.count(),
      s.timeout.idle.count(), s.concurrency_per_instance, s.queue, s.drain.count(), s.crash_limit,
      s.slow_start.count(), s.eject.failures, s.eject.time.count(), s.eject.time_max.count());
}

inline std::string describe(const session::SessionOptions& s) {
  return fmt::format(
      "session {} placement={} lost={} idle={} absolute={}\n  cookie={} secure={} persistent={}\n"
      "  lane={} queue={} wait={} overlap={} inline={} document={}\n",
      s.name, static_cast<int>(s.placement), static_cast<int>(s.on_lost_instance), s.idle.count(),
      s.absolute.count(), s.cookie, static_cast<int>(s.secure), s.persistent, static_cast<int>(s.lane),
      s.lane_queue, s.lane_wait.count(), s.overlap ? std::to_string(static_cast<int>(*s.overlap)) : "-",
      s.inline_bytes_max, s.document_bytes_max);
}

inline std::string describe(const Config& c) {
  std::vector<std::string> trusted;
  for (const PeerNetwork& network : c.gateway.trusted_proxies) trusted.push_back(network.text());
  std::string out = fmt::format(
      "gateway threads={} drain={} trusted=[{}] session={}\n  keys={} overlap={} hybrid={} debug={}\n",
      c.gateway.threads, c.gateway.drain_timeout.count(), fmt::join(trusted, " "),
      to_string(c.gateway.session_address), c.gateway.key_file, c.gateway.overlap_bytes_max,
      c.gateway.hybrid_bytes_max, c.gateway.debug_headers);
  out += fmt::format("log access={} format={}\n", c.log.access, static_cast<int>(c.log.format));
  out += fmt::format("limits head={} target={} fields={} head_timeout={} idle={} connections={}\n",
                     c.limits.head_bytes_max, c.limits.target_bytes_max, c.limits.fields_max,
                     c.limits.head_timeout.count(), c.limits.client_idle.count(), c.limits.connections_max);
  for (const auto& listen : c.listen) {
    out += fmt::format("listen {}", to_string(listen.address));
    if (listen.tls)
      out += fmt::format(" tls={},{}", listen.tls->certificates.size(), listen.tls->key.reveal().size());
    out += "\n";
  }
  out += fmt::format("admin {} token={}\n", to_string(c.admin.address), describe(c.admin.token));
  out += fmt::format("store kind={} path={} durability={} memory={} sessions={}\n",
                     static_cast<int>(c.store.kind), c.store.path, static_cast<int>(c.store.durability),
                     c.store.memory_bytes_max, c.store.sessions_max);
  if (!c.store.url.empty())
    out += fmt::format(
        "  url={} timeout={} connections={} ca={} replicas={} outage={} journal={} max={} known={} "
        "conflict={}\n",
        c.store.url.reveal(), c.store.timeout.count(), c.store.connections, c.store.ca_file, c.store.replicas,
        static_cast<int>(c.store.on_outage), c.store.journal_path, c.store.journal_bytes_max,
        c.store.outage_bytes_max, static_cast<int>(c.store.on_conflict));
  if (c.previous_store)
    out += fmt::format("previous kind={} path={} url={}\n", static_cast<int>(c.previous_store->kind),
                       c.previous_store->path, c.previous_store->url.reveal());
  for (const auto& session : c.sessions) out += describe(session);
  for (const auto& service : c.services) out += describe(service);
  for (const auto& r : c.routes)
    out += fmt::format(
        "route {} host={} methods=[{}] service={} session={} affinity={}\n"
        "  origins=[{}] body={} replay={}\n",
        r.path, r.host.value_or("-"), fmt::join(r.methods, " "), r.service, r.session.value_or("-"),
        r.affinity ? route::to_string(*r.affinity) : "-", fmt::join(r.origins, " "), r.max_body_bytes,
        static_cast<int>(r.replay));
  return out;
}

}  // namespace stateway::config
