#include <chrono>

#include "admin/census.h"
#include "admin/resources.h"

namespace stateway::admin {
namespace {

std::string_view durability_name(store::Durability durability) {
  switch (durability) {
    case store::Durability::sync:
      return "sync";
    case store::Durability::os:
      return "os";
    case store::Durability::memory:
      return "memory";
  }
  CHECK(false);
}

std::string_view replay_name(route::Replay replay) {
  return replay == route::Replay::reject ? "reject" : "re-execute";
}

void add_previous_store(JsonWriter& json, const store::Stats& stats, const Sources& sources) {
  if (!stats.previous) {
    json.member_json("previous", "null");
    return;
  }
  json.begin_object("previous");
  json.member("kind", stats.previous->kind);
  json.member("left", stats.previous->left);
  json.member("moved", stats.previous->moved);
  json.member("copying", sources.copying());
  json.end_object();
}

void add_outage(JsonWriter& json, const store::OutageStats& outage) {
  json.begin_object("outage");
  json.member_time("away_since", outage.away_since);
  json.member("pending", outage.pending);
  json.member("kept", outage.kept);
  json.member("journal_bytes", outage.journal_bytes);
  json.member("known", outage.known);
  json.member("known_bytes", outage.known_bytes);
  json.member("known_lost", outage.known_lost);
  json.member("replayed", outage.replayed);
  json.member("remade", outage.remade);
  json.member("overlapped", outage.overlapped);
  json.member("dropped", outage.dropped);
  json.member("recovered", outage.recovered);
  json.member("unkept", outage.unkept);
  json.end_object();
}

void add_store(JsonWriter& json, const Sources& sources) {
  const store::Stats stats = sources.store.stats();
  json.begin_object("store");
  json.member("kind", stats.kind);
  const std::string_view asked = durability_name(sources.in_force.store.durability);
  json.member("durability", asked);
  json.member("durability_effective", stats.durability.empty() ? asked : stats.durability);
  json.member("records", stats.records);
  json.member("ended", stats.ended);
  json.member("sessions_max", sources.in_force.store.sessions_max);
  json.member("commits", stats.commits);
  json.member("groups", stats.groups);
  json.member("mean_group", stats.groups == 0
                                ? 0.0
                                : static_cast<double>(stats.commits) / static_cast<double>(stats.groups));
  json.member("conflicts", stats.conflicts);
  json.member("swept", stats.swept);
  json.member("poisoned", stats.poisoned);
  add_previous_store(json, stats, sources);
  if (stats.outage) add_outage(json, *stats.outage);
  json.end_object();
}

void add_counters(JsonWriter& json, const gateway::Counters& counters) {
  const auto add = [&json](std::string_view name, const gateway::Counters::Count& count) {
    json.member(name, count.load(std::memory_order_relaxed));
  };
  json.begin_object("gateway");
  add("connections", counters.connections);
  add("connections_total", counters.connections_total);
  add("handshakes_failed", counters.handshakes_failed);
  add("exchanges", counters.exchanges);
  add("exchanges_total", counters.exchanges_total);
  add("retries", counters.retries);
  add("problems", counters.problems);
  add("client_gone", counters.client_gone);
  add("overlaps", counters.overlaps);
  add("reruns", counters.reruns);
  add("lane_waiting", counters.lane_waiting);
  add("lane_refused", counters.lane_refused);
  add("documents_spared", counters.documents_spared);
  add("document_octets_spared", counters.document_octets_spared);
  add("documents_needed", counters.documents_needed);
  add("patches_ignored", counters.patches_ignored);
  json.end_object();
}

void add_hybrid(JsonWriter& json, const session::Holders& holders) {
  json.begin_object("hybrid");
  json.member("kept", holders.size());
  json.member("kept_bytes", holders.bytes());
  json.member("kept_lost", holders.evicted());
  json.end_object();
}

void add_cookies(JsonWriter& json, const session::Sessions& sessions) {
  json.begin_object("cookies");
  json.member("stale", sessions.counts().stale.load(std::memory_order_relaxed));
  json.member("unmoved", sessions.counts().unmoved.load(std::memory_order_relaxed));
  json.member("kept", sessions.recent().size());
  json.member("kept_bytes", sessions.recent().bytes());
  json.member("kept_lost", sessions.recent().evicted());
  json.end_object();
}

void add_kind(JsonWriter& json, const Sources& sources, const session::SessionOptions& kind) {
  const session::Moves moves = sources.sessions.counts().of(kind.name);
  const std::optional<std::uint64_t> to_move = still_to_move(sources, kind);
  json.begin_object();
  json.member("kind", kind.name);
  json.member("placement", session::placement_name(kind.placement));
  if (to_move)
    json.member("to_move", *to_move);
  else
    json.member_json("to_move", "null");
  json.member("moved", moves.to_client + moves.to_store - moves.outgrown);
  json.member("outgrown", moves.outgrown);
  json.member_time("counted_at", sources.census.counted_at());
  const KindCount count = sources.census.of(kind.name);
  json.begin_object("records");
  json.member("live", count.live);
  json.member("in_cookies", count.in_cookies);
  json.member("at_instances", count.at_instances);
  json.member("ended", count.ended);
  json.end_object();
  json.end_object();
}

void add_configuration(JsonWriter& json, const InForce& in_force) {
  json.begin_object("configuration");
  json.member("generation", in_force.generation);
  json.member_time("since", in_force.since);
  json.member_time("refused_at", in_force.refused_at);
  json.texts("problems", in_force.problems);
  json.end_object();
}

}  // namespace

Answer get_status(const Call& call) {
  const Sources& sources = call.sources;
  const auto uptime = std::chrono::floor<std::chrono::seconds>(sources.loop.now() - sources.started);
  JsonWriter json;
  json.member("version", sources.version);
  json.member("uptime_s", uptime.count());
  json.member("pid", sources.pid);
  json.member("draining", sources.draining.load());
  add_configuration(json, sources.in_force);
  add_store(json, sources);
  add_counters(json, sources.counters);
  add_cookies(json, sources.sessions);
  add_hybrid(json, sources.holders);
  json.begin_array("sessions");
  for (const session::SessionOptions& kind : sources.in_force.snapshot->sessions)
    add_kind(json, sources, kind);
  json.end_array();
  co_return json_response(200, std::move(json));
}

Answer get_routes(const Call& call) {
  JsonWriter json;
  json.begin_array("routes");
  for (const route::RouteOptions& route : call.sources.in_force.snapshot->routes.routes()) {
    json.begin_object();
    json.member("path", route.path);
    json.member_or_null("host", route.host.value_or(""));
    json.texts("methods", route.methods);
    json.member("service", route.service);
    json.member_or_null("session", route.session.value_or(""));
    json.member_or_null("affinity", route.affinity ? route::to_string(*route.affinity) : "");
    json.texts("origins", route.origins);
    json.member("max_body_bytes", route.max_body_bytes);
    json.member("replay", replay_name(route.replay));
    json.end_object();
  }
  json.end_array();
  co_return json_response(200, std::move(json));
}

Answer get_configuration(const Call& call) {
  JsonWriter json;
  json.member("generation", call.sources.in_force.generation);
  json.begin_array("settings");
  for (const Setting& setting : call.sources.in_force.settings) {
    json.begin_object();
    json.member("section", setting.section);
    json.member("key", setting.key);
    json.member("value", setting.value);
    json.end_object();
  }
  json.end_array();
  co_return json_response(200, std::move(json));
}

}  // namespace stateway::admin
