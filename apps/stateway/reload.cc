#include "stateway/reload.h"

#include <algorithm>

#include "base/log.h"
#include "stateway/descriptors.h"
#include "stateway/snapshot.h"
#include "stateway/stores.h"

namespace stateway {
namespace {

constexpr Duration kTick = 10ms;

bool same_port(const Address& a, const Address& b) {
  return a.kind == Address::Kind::tcp && b.kind == Address::Kind::tcp && a.port == b.port;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out.append(out.empty() ? "" : "; ").append(part);
  return out.empty() ? "nothing" : out;
}

class Turn {
 public:
  explicit Turn(bool& busy) : busy_(busy) { busy_ = true; }
  ~Turn() { busy_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool& busy_;
};

class Waiting {
 public:
  explicit Waiting(std::size_t& count) : count_(count) { ++count_; }
  ~Waiting() { --count_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

void log_listening(const ClientSocket& client) {
  log::info(
      "listening",
      {{"address", to_string(client.socket->address())}, {"for", "clients"}, {"tls", client.tls != nullptr}});
}

Result<std::shared_ptr<const io::TlsServer>> make_tls(const gateway::ListenOptions& options) {
  if (!options.tls) return nullptr;
  auto made = io::TlsServer::make(options.tls->certificates, options.tls->key.reveal());
  if (made) return *made;
  const char* what = made.error().in == io::TlsFault::In::key ? "its key " : "its certificate ";
  return fail(Code::invalid_argument, Side::self,
              to_string(options.address) + ": " + what + made.error().what);
}

Result<void> use_keys(session::KeyRing& keys, const config::Config& configuration) {
  if (keys.in_use() || configuration.sessions.empty()) return {};
  return keys.use(configuration.gateway.key_file);
}

struct Reloader::Prepared {
  std::vector<config::Problem> problems;  // then there is nothing else
  std::shared_ptr<const config::Config> config;
  ReloadPlan plan;
  std::vector<ClientSocket> sockets;  // by index; without a socket: the one in force stays
  std::optional<StoresInForce::Set> stores;
};

namespace {

Result<ClientSocket> prepare_socket(const gateway::ListenOptions& next, bool open,
                                    const config::Config& in_force) {
  ClientSocket out;
  auto tls = make_tls(next);
  if (!tls) return pass_on(std::move(tls));
  out.tls = std::move(*tls);
  if (open) return out;
  auto socket = io::ListenSocket::open(next.address);
  if (socket) {
    out.socket = std::make_unique<io::ListenSocket>(std::move(*socket));
    return out;
  }
  Error error = std::move(socket).error();
  const auto ours = std::ranges::find_if(
      in_force.listen, [&](const gateway::ListenOptions& l) { return same_port(l.address, next.address); });
  if (ours != in_force.listen.end())
    error.context +=
        "; the gateway has " + to_string(ours->address) + ": take that away in a reload of its own first";
  return std::unexpected(std::move(error));
}

}  // namespace

// On the worker's thread.
Reloader::Prepared Reloader::prepare(const std::string& path, const config::Config& in_force,
                                     const StoresInForce::Set& stores, const WallClock& clock) {
  Prepared out;
  auto loaded = config::load(path);
  if (!loaded) {
    out.problems = std::move(loaded).error();
    return out;
  }
  out.problems = config::needing_restart(in_force, *loaded);
  if (!out.problems.empty()) return out;
  out.plan = plan_reload(in_force, *loaded);
  out.config = std::make_shared<const config::Config>(std::move(*loaded));
  open_sockets(out, in_force);
  if (!out.problems.empty()) return out;
  auto opened = StoresInForce::open(*out.config, &stores, clock);
  if (opened)
    out.stores = std::move(*opened);
  else
    out.problems.push_back({.file = path, .message = opened.error().context});
  return out;
}

void Reloader::open_sockets(Prepared& out, const config::Config& in_force) {
  for (std::size_t i = 0; i < out.config->listen.size(); ++i) {
    auto client = prepare_socket(out.config->listen[i], out.plan.listen[i].has_value(), in_force);
    if (client) {
      out.sockets.push_back(std::move(*client));
      continue;
    }
    const config::Place place = out.config->places.listen[i];
    out.problems.push_back({out.config->places.file, place.line, place.column, client.error().context});
  }
}

io::Task<Result<admin::ReloadOutcome>> Reloader::reload() {
  {
    const Waiting waiting(waiting_);
    while (busy_) co_await io::sleep_for(home_, kTick);
  }
  const Turn turn(busy_);
  co_return co_await run();
}

io::Task<void> Reloader::ended() {
  while (switching_) co_await io::sleep_for(home_, kTick);
}

io::Task<Result<admin::ReloadOutcome>> Reloader::run() {
  const auto stopping = [] { return fail(Code::draining, Side::self, "the gateway is stopping"); };
  if (parts_.draining) co_return stopping();
  co_await parts_.stores.settled();
  auto job = [path = parts_.held.path, in_force = parts_.held.config, stores = parts_.stores.in_force(),
              &clock = parts_.clock] { return prepare(path, *in_force, stores, clock); };
  auto preparing = worker_.run(home_, std::move(job));
  Prepared next = co_await preparing;
  if (!next.problems.empty()) {
    std::vector<std::string> lines;
    for (const config::Problem& problem : next.problems) lines.push_back(to_string(problem));
    co_return refuse(std::move(lines));
  }
  auto started = start_services(next);
  if (!started) co_return refuse({parts_.held.path + ": " + started.error().context});
  co_await wait_until_up(*started);
  if (parts_.draining) co_return stopping();
  // On the home loop, which lets others use the keys from now on; once in the gateway's life. It cannot be
  // undone, so it is the last thing that can fail.
  if (auto used = use_keys(parts_.keys, *next.config); !used)
    co_return refuse({parts_.held.path + ": " + used.error().context});
  const Turn switching(switching_);
  for (const std::string& warning : next.config->warnings) log::warn(warning);
  warn_of_lost_sessions(*next.config);
  admin::ReloadOutcome outcome{.changes = next.plan.changes};
  co_await put_in_force(std::move(next), std::move(*started));
  log::info("reloaded", {{"generation", parts_.held.shown.generation}, {"changes", joined(outcome.changes)}});
  co_return outcome;
}

void Reloader::warn_of_lost_sessions(const config::Config& next) const {
  const StoresInForce::Set& before = parts_.stores.in_force();
  const auto named = [&next](const store::StoreOptions& options) {
    return store::same_place(options, next.store) ||
           (next.previous_store && store::same_place(options, *next.previous_store));
  };
  const store::Stats stats = parts_.stores.store().stats();
  if (!named(before.store.options))
    log::warn("sessions in memory are lost with it: no [store.previous] names it",
              {{"records", stats.records}});
  if (before.previous && !named(before.previous->options) && stats.previous && stats.previous->left > 0)
    log::warn("sessions that have not moved are left in the previous store",
              {{"store", name_of(before.previous->options)}, {"records", stats.previous->left}});
}

admin::ReloadOutcome Reloader::refuse(std::vector<std::string> problems) {
  for (const std::string& problem : problems) log::error(problem);
  log::error("the reload was refused: nothing has changed", {{"problems", problems.size()}});
  admin::InForce& shown = parts_.held.shown;
  shown.refused_at = parts_.clock.now();
  shown.problems = problems;
  return {.problems = std::move(problems)};
}

Result<std::vector<Services::Running>> Reloader::start_services(const Prepared& next) {
  std::vector<Services::Running> out;
  for (std::size_t i = 0; i < next.config->services.size(); ++i) {
    if (next.plan.services[i] != ReloadPlan::Fate::started) continue;
    auto started = parts_.services.start(next.config->services[i]);
    if (!started) return pass_on(std::move(started));
    out.push_back(std::move(*started));
  }
  return out;
}

// Requests would wait for them in a queue, and a busy one would overflow. A service that does not come up
// within what any start may take is put in force all the same: the operator may know why.
io::Task<void> Reloader::wait_until_up(const std::vector<Services::Running>& started) {
  const TimePoint until = home_.now() + upstream::kStartAllowance;
  const auto is_up = [](const Services::Running& r) { return r.service->available(); };
  while (!std::ranges::all_of(started, is_up) && home_.now() < until && !parts_.draining)
    co_await io::sleep_for(home_, kTick);
  for (const Services::Running& running : started)
    if (!is_up(running))
      log::warn("a new service is not up; it gets requests all the same",
                {{"service", running.service->name()}});
}

io::Task<void> Reloader::put_in_force(Prepared next, std::vector<Services::Running> started) {
  const config::Config& config = *next.config;
  Reloadable& held = parts_.held;

  // Nothing below can fail.
  put_sockets_in_force(next);
  parts_.services.replace(config.services, next.plan.services, std::move(started),
                          config.gateway.drain_timeout);
  // Not lowered at once: exchanges that have begun may still bring the larger documents.
  parts_.session_urls.set_body_bytes_max(
      std::max(document_bytes_max(*held.config), document_bytes_max(config)));
  co_await parts_.stores.put_in_force(std::move(*next.stores));
  log::set_format(config.log.format);
  const std::shared_ptr<const gateway::Snapshot> snapshot = make_fitted_snapshot(config);
  co_await switch_loops(snapshot);

  held.sockets.closing.clear();
  for (std::size_t i = 0; i < config.listen.size(); ++i)
    if (!next.plan.listen[i]) log_listening(held.sockets.in_force[i]);
  held.config = next.config;
  show(held.shown, config, snapshot, parts_.services.in_force(), parts_.clock.now());
}

void Reloader::put_sockets_in_force(Prepared& next) {
  ClientSockets& sockets = parts_.held.sockets;
  std::vector<ClientSocket> before = std::exchange(sockets.in_force, {});
  for (std::size_t i = 0; i < next.sockets.size(); ++i) {
    ClientSocket& client = next.sockets[i];
    if (const std::optional<std::size_t> same = next.plan.listen[i]) {
      client.socket = std::move(before[*same].socket);
      // Sessions go on with the one that is there: others cannot read its tickets.
      if (parts_.held.config->listen[*same].tls == next.config->listen[i].tls) client.tls = before[*same].tls;
    }
    sockets.in_force.push_back(std::move(client));
  }
  for (ClientSocket& client : before)
    if (client.socket) sockets.closing.push_back(std::move(client.socket));
}

io::Task<void> Reloader::switch_loops(std::shared_ptr<const gateway::Snapshot> snapshot) {
  const ClientSockets& sockets = parts_.held.sockets;
  std::vector<std::pair<const io::ListenSocket*, std::shared_ptr<const io::TlsServer>>> open;
  for (const ClientSocket& client : sockets.in_force) open.emplace_back(client.socket.get(), client.tls);
  std::vector<const io::ListenSocket*> closing;
  for (const auto& socket : sockets.closing) closing.push_back(socket.get());
  for (const auto& loop : parts_.loops) {
    auto put = [&loop = *loop, snapshot, services = parts_.services.in_force(), open, closing] {
      loop.configure(snapshot, services);
      for (const auto& [socket, tls] : open) loop.listen(*socket, tls);
      for (const io::ListenSocket* socket : closing) loop.close(*socket);
      return true;
    };
    auto call = io::call_on(home_, loop->loop(), std::move(put));  // by mail also to the home loop
    (void)co_await call;
  }
}

}  // namespace stateway
