#include "config/keys.h"

#include <algorithm>

#include "base/log.h"
#include "config/config.h"
#include "route/options.h"
#include "session/options.h"
#include "store/options.h"
#include "upstream/options.h"

namespace stateway::config {
namespace {

using gateway::AdminOptions, gateway::GatewayOptions;
using session::Lane, session::OnLostInstance, session::Overlap, session::Placement, session::Secure;
using store::Durability, store::StoreOptions;
using store::Kind;
using upstream::Balance;

template <class Enum>
constexpr Choice is(std::string_view text, Enum value) {
  return {text, static_cast<int>(value)};
}
constexpr Choice later(std::string_view text) { return {text, kLater}; }

constexpr Choice kFormats[] = {is("json", log::Format::json), is("text", log::Format::text)};
constexpr Choice kStores[] = {is("embedded", store::Kind::embedded), is("memory", store::Kind::memory),
                              is("redis", store::Kind::redis), is("postgres", store::Kind::postgres)};
constexpr Choice kOutages[] = {is("fail", store::OnOutage::fail), is("journal", store::OnOutage::journal)};
constexpr Choice kOutageConflicts[] = {is("journal", store::OnConflict::journal),
                                       is("store", store::OnConflict::store)};
constexpr Choice kDurabilities[] = {is("sync", Durability::sync), is("os", Durability::os),
                                    is("memory", Durability::memory)};
constexpr Choice kPlacements[] = {is("client", Placement::client), is("instance", Placement::instance),
                                  is("store", Placement::store), is("hybrid", Placement::hybrid)};
constexpr Choice kLostInstances[] = {is("renew", OnLostInstance::renew), is("fail", OnLostInstance::fail)};
constexpr Choice kSecures[] = {is("auto", Secure::auto_), is("always", Secure::always),
                               is("never", Secure::never)};
constexpr Choice kLanes[] = {is("merge", Lane::merge), is("serial", Lane::serial)};
constexpr Choice kOverlaps[] = {is("last", Overlap::last), is("refuse", Overlap::refuse),
                                is("again", Overlap::again)};
constexpr Choice kBalances[] = {is("p2c", Balance::p2c), is("round_robin", Balance::round_robin),
                                is("least_requests", Balance::least_requests), is("hash", Balance::hash)};
constexpr Choice kReplays[] = {is("reject", route::Replay::reject),
                               is("re-execute", route::Replay::reexecute)};
// Of these this release has the one value that asks for nothing.
constexpr Choice kAuths[] = {{"off", 0}, later("optional"), later("required")};
constexpr Choice kIdempotencies[] = {{"off", 0}, later("optional"), later("required")};

constexpr std::int64_t kSecond = 1'000, kHour = 3'600 * kSecond, kDay = 24 * kHour, kYears = 3'650 * kDay;
constexpr std::int64_t kKiB = 1024, kMiB = 1024 * kKiB, kTiB = kMiB * kMiB;

constexpr Key boolean(std::string_view section, std::string_view name, std::string_view fallback) {
  return {.section = section, .name = name, .type = Type::boolean, .fallback = fallback};
}
constexpr Key ranged(Type type, std::string_view section, std::string_view name, std::string_view fallback,
                     std::int64_t min, std::int64_t max) {
  return {.section = section, .name = name, .type = type, .fallback = fallback, .min = min, .max = max};
}
constexpr Key text(std::string_view section, std::string_view name, std::string_view fallback) {
  return {.section = section, .name = name, .type = Type::string, .fallback = fallback};
}
constexpr Key texts(std::string_view section, std::string_view name, std::string_view fallback) {
  return {.section = section, .name = name, .type = Type::strings, .fallback = fallback};
}
constexpr Key choice(std::string_view section, std::string_view name, std::string_view fallback,
                     std::span<const Choice> choices) {
  return {.section = section, .name = name, .type = Type::choice, .fallback = fallback, .choices = choices};
}
constexpr Key table(Type type, std::string_view section, std::string_view name,
                    std::string_view fallback = kUnset) {
  return {.section = section, .name = name, .type = type, .fallback = fallback};
}
/// `key`, which only a restart can change, and its value in a configuration.
template <auto kSection, auto kOption>
constexpr Key at_start(Key key) {
  key.same = [](const Config& a, const Config& b) { return a.*kSection.*kOption == b.*kSection.*kOption; };
  return key;
}
/// The same for how a store is opened: what another store is opened with is no matter of restarts.
template <auto kOption>
constexpr Key at_open(Key key) {
  key.same = [](const Config& a, const Config& b) {
    return !store::same_place(a.store, b.store) || a.store.*kOption == b.store.*kOption;
  };
  return key;
}
template <auto kOption>
constexpr Key at_open_of_previous(Key key) {
  key.same = [](const Config& a, const Config& b) {
    return !a.previous_store || !b.previous_store ||
           !store::same_place(*a.previous_store, *b.previous_store) ||
           (*a.previous_store).*kOption == (*b.previous_store).*kOption;
  };
  return key;
}
/// `key`, which says which store it is: no session may be left behind in the one in force. One of the three
/// keys that may say it complains.
template <auto kOption>
constexpr Key which_store(Key key) {
  key.same = [](const Config& a, const Config& b) {
    const bool is_kind = std::is_same_v<decltype(kOption), Kind StoreOptions::*>;
    const bool says_it = (is_kind || a.store.kind == b.store.kind) && a.store.*kOption != b.store.*kOption;
    const bool moves = b.previous_store && store::same_place(a.store, *b.previous_store);
    return !says_it || moves || store::same_place(a.store, b.store) || a.store.kind == Kind::memory;
  };
  key.refusal =
      "names another store than the one in force: name that one in [store.previous], so that its sessions "
      "can move. If only its name is another, restart";
  return key;
}
constexpr Key not_yet(std::string_view section, std::string_view name) {
  return {.section = section, .name = name, .fallback = kUnset, .release = Release::later};
}

constexpr Key kKeys[] = {
    table(Type::table, "", "gateway"),
    table(Type::table, "", "log"),
    table(Type::table, "", "limits"),
    table(Type::tables, "", "listen", kRequired),
    table(Type::table, "", "admin"),
    table(Type::table, "", "store"),
    table(Type::named, "", "session"),
    table(Type::named, "", "service", kRequired),
    table(Type::tables, "", "route", kRequired),
    not_yet("", "identity"),
    not_yet("", "issuer"),

    at_start<&Config::gateway, &GatewayOptions::threads>(
        ranged(Type::integer, "gateway", "threads", "0", 0, 1'024)),
    ranged(Type::duration, "gateway", "drain_timeout", "\"30s\"", 0, kDay),
    texts("gateway", "trusted_proxies", "[]"),
    at_start<&Config::gateway, &GatewayOptions::session_address>(
        text("gateway", "session_address", "\"127.0.0.1:0\"")),
    at_start<&Config::gateway, &GatewayOptions::key_file>(
        text("gateway", "key_file", "\"var/stateway.keys\"")),
    at_start<&Config::gateway, &GatewayOptions::overlap_bytes_max>(
        ranged(Type::size, "gateway", "overlap_memory", "\"64MiB\"", 0, kTiB)),
    at_start<&Config::gateway, &GatewayOptions::hybrid_bytes_max>(
        ranged(Type::size, "gateway", "hybrid_memory", "\"64MiB\"", 0, kTiB)),
    boolean("gateway", "debug_headers", "false"),

    boolean("log", "access", "true"),
    choice("log", "format", "\"json\"", kFormats),

    ranged(Type::size, "limits", "head", "\"16KiB\"", kKiB, kMiB),
    ranged(Type::size, "limits", "target", "\"8KiB\"", 64, kMiB),
    ranged(Type::integer, "limits", "fields", "100", 8, 10'000),
    ranged(Type::duration, "limits", "head_timeout", "\"10s\"", 1, kDay),
    ranged(Type::duration, "limits", "client_idle", "\"60s\"", 1, kDay),
    ranged(Type::integer, "limits", "connections", "10000", 1, 10'000'000),

    text("listen", "address", kRequired),
    table(Type::table, "listen", "tls"),
    text("listen.tls", "cert", kRequired),
    text("listen.tls", "key", kRequired),

    at_start<&Config::admin, &AdminOptions::address>(text("admin", "address", "\"127.0.0.1:8090\"")),
    text("admin", "token_file", kUnset),

    which_store<&StoreOptions::kind>(choice("store", "kind", "\"embedded\"", kStores)),
    which_store<&StoreOptions::path>(text("store", "path", "\"var/state\"")),
    at_open<&StoreOptions::durability>(choice("store", "durability", "\"sync\"", kDurabilities)),
    at_open<&StoreOptions::memory_bytes_max>(ranged(Type::size, "store", "memory", "\"896MiB\"", 0, kTiB)),
    ranged(Type::integer, "store", "sessions_max", "1000000", 1, 1'000'000'000'000),
    which_store<&StoreOptions::url>(text("store", "url", kUnset)),
    at_open<&StoreOptions::timeout>(ranged(Type::duration, "store", "timeout", "\"2s\"", 1, kDay)),
    at_open<&StoreOptions::connections>(ranged(Type::integer, "store", "connections", "1", 1, 64)),
    at_open<&StoreOptions::ca_file>(text("store", "ca_file", kUnset)),
    at_open<&StoreOptions::replicas>(ranged(Type::integer, "store", "replicas", "0", 0, 100)),
    at_open<&StoreOptions::on_outage>(choice("store", "on_outage", "\"fail\"", kOutages)),
    at_open<&StoreOptions::journal_path>(text("store", "journal", "\"var/journal\"")),
    at_open<&StoreOptions::journal_bytes_max>(
        ranged(Type::size, "store", "journal_max", "\"256MiB\"", kMiB, kTiB)),
    at_open<&StoreOptions::outage_bytes_max>(
        ranged(Type::size, "store", "outage_memory", "\"64MiB\"", 0, kTiB)),
    at_open<&StoreOptions::on_conflict>(choice("store", "on_conflict", "\"journal\"", kOutageConflicts)),
    table(Type::table, "store", "previous"),

    choice("store.previous", "kind", "\"embedded\"", kStores),
    text("store.previous", "path", "\"var/state\""),
    at_open_of_previous<&StoreOptions::durability>(
        choice("store.previous", "durability", "\"sync\"", kDurabilities)),
    at_open_of_previous<&StoreOptions::memory_bytes_max>(
        ranged(Type::size, "store.previous", "memory", "\"896MiB\"", 0, kTiB)),
    text("store.previous", "url", kUnset),
    at_open_of_previous<&StoreOptions::timeout>(
        ranged(Type::duration, "store.previous", "timeout", "\"2s\"", 1, kDay)),
    at_open_of_previous<&StoreOptions::connections>(
        ranged(Type::integer, "store.previous", "connections", "1", 1, 64)),
    at_open_of_previous<&StoreOptions::ca_file>(text("store.previous", "ca_file", kUnset)),

    choice("session", "placement", "\"store\"", kPlacements),
    ranged(Type::duration, "session", "idle", "\"30m\"", kSecond, kYears),
    ranged(Type::duration, "session", "absolute", "\"24h\"", kSecond, kYears),
    text("session", "cookie", kUnset),
    choice("session", "secure", "\"auto\"", kSecures),
    boolean("session", "persistent", "false"),
    choice("session", "lane", "\"merge\"", kLanes),
    ranged(Type::integer, "session", "lane_queue", "100", 0, 1'000'000),
    ranged(Type::duration, "session", "lane_wait", "\"10s\"", 0, kDay),
    choice("session", "overlap", kUnset, kOverlaps),
    ranged(Type::size, "session", "inline_max", "\"4KiB\"", 0, 64 * kKiB),
    ranged(Type::size, "session", "document_max", "\"1MiB\"", 2, 64 * kMiB),
    choice("session", "on_lost_instance", "\"renew\"", kLostInstances),

    texts("service", "instances", kUnset),
    texts("service", "command", kUnset),
    ranged(Type::integer, "service", "count", "1", 1, upstream::kCountMax),
    boolean("service", "socket", "false"),
    text("service", "token_file", kUnset),
    choice("service", "balance", "\"p2c\"", kBalances),
    ranged(Type::integer, "service", "crash_limit", "5", 1, 1'000),
    ranged(Type::duration, "service", "slow_start", "\"0s\"", 0, kDay),
    table(Type::table, "service", "eject"),
    table(Type::table, "service", "health"),
    table(Type::table, "service", "retry"),
    table(Type::table, "service", "timeout"),
    ranged(Type::integer, "service", "concurrency_per_instance", "0", 0, 1'000'000),
    ranged(Type::integer, "service", "queue", "1000", 0, 1'000'000),

    text("service.health", "path", "\"/healthz\""),
    ranged(Type::duration, "service.health", "interval", "\"1s\"", 10, kDay),
    ranged(Type::duration, "service.health", "timeout", "\"500ms\"", 1, kDay),
    ranged(Type::integer, "service.health", "fall", "2", 1, 1'000),
    ranged(Type::integer, "service.health", "rise", "2", 1, 1'000),

    ranged(Type::integer, "service.eject", "failures", "5", 0, 1'000),
    ranged(Type::duration, "service.eject", "time", "\"10s\"", 1, kDay),
    ranged(Type::duration, "service.eject", "time_max", "\"5m\"", 1, kDay),

    ranged(Type::integer, "service.retry", "attempts", "3", 1, 100),
    ranged(Type::number, "service.retry", "budget", "0.2", 0, 1),

    ranged(Type::duration, "service.timeout", "connect", "\"1s\"", 1, kDay),
    ranged(Type::duration, "service.timeout", "response", "\"30s\"", 1, kDay),
    ranged(Type::duration, "service.timeout", "idle", "\"60s\"", 1, kDay),

    text("route", "path", kRequired),
    text("route", "host", kUnset),
    texts("route", "methods", "[]"),
    text("route", "service", kRequired),
    text("route", "session", kUnset),
    text("route", "affinity", kUnset),
    texts("route", "origins", "[]"),
    ranged(Type::size, "route", "max_body", "\"0\"", 0, kTiB),
    choice("route", "replay", "\"reject\"", kReplays),
    choice("route", "auth", "\"off\"", kAuths),
    choice("route", "idempotency", "\"off\"", kIdempotencies),
    not_yet("route", "scopes"),
};

}  // namespace

std::span<const Key> keys() { return kKeys; }

const Key* find_key(std::string_view section, std::string_view name) {
  const auto* found =
      std::ranges::find_if(kKeys, [&](const Key& k) { return k.section == section && k.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

}  // namespace stateway::config
