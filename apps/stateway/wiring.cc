#include "stateway/wiring.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "base/log.h"
#include "io/guardian.h"
#include "io/signals.h"
#include "stateway/background.h"
#include "stateway/cli.h"
#include "stateway/descriptors.h"
#include "stateway/gateway_loop.h"
#include "stateway/snapshot.h"
#include "store/embedded.h"
#include "store/memory.h"
#include "upstream/monitor.h"
#include "upstream/supervisor.h"
#include "wire/server.h"

namespace stateway {
namespace {

constexpr std::initializer_list<int> kSignals = {SIGTERM, SIGINT, SIGHUP};
constexpr Duration kInstanceGrace = 5s;  // from SIGTERM to SIGKILL when the gateway stops

Result<std::unique_ptr<store::StateStore>> open_store(const store::StoreOptions& options,
                                                      const WallClock& clock) {
  if (options.kind == store::Kind::memory)
    return std::make_unique<store::MemoryStore>(clock, options.sessions_max);
  auto embedded = store::EmbeddedStore::open(options, clock);
  if (!embedded) return pass_on(std::move(embedded));
  return std::unique_ptr<store::StateStore>(std::move(*embedded));
}

Result<std::string> make_runtime_folder() {
  std::string path = std::filesystem::temp_directory_path() / "stateway-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return fail(Code::io, Side::self, "cannot make a folder in " + path);
  return path;
}

unsigned thread_count(const gateway::GatewayOptions& options) {
  return options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

// The running gateway. Members are destroyed in reverse: what uses others is declared below them.
class Runtime {
 public:
  explicit Runtime(const config::Config& configuration)
      : config_(configuration), in_force_{make_snapshot(configuration), {}} {}
  ~Runtime();

  Result<void> start();
  int run();

 private:
  void fit_connections_to_descriptors();
  Result<void> open_sockets();
  Result<void> start_services();
  io::Task<void> handle_signals();
  io::Task<void> shut_down();
  io::EpollLoop& home() { return loops_.front()->loop(); }

  const config::Config& config_;
  SystemClock clock_;
  SystemRandom random_;
  admin::InForce in_force_;
  gateway::Counters counters_;
  gateway::Pipeline pipeline_;
  std::optional<io::Guardian> guardian_;
  std::string folder_;
  std::vector<io::ListenSocket> client_sockets_;
  std::optional<io::ListenSocket> session_socket_;
  std::optional<io::ListenSocket> admin_socket_;
  std::vector<std::unique_ptr<GatewayLoop>> loops_;
  std::unique_ptr<store::StateStore> store_;  // before the loops that its answers go to
  session::KeyRing keys_{clock_, random_};
  std::unique_ptr<session::Sessions> sessions_;
  std::optional<io::Worker> resolver_;
  std::map<std::string, std::unique_ptr<upstream::Supervisor>, std::less<>> supervisors_;  // by service
  std::vector<std::unique_ptr<upstream::Monitor>> monitors_;
  std::unique_ptr<Background> background_;
  std::vector<std::thread> threads_;
  std::atomic<bool> draining_{false};
  std::size_t loops_drained_ = 0;
};

// Clients must not be able to use up the descriptors that the store needs for its files: a failed write
// poisons it.
void Runtime::fit_connections_to_descriptors() {
  const unsigned wanted = config_.limits.connections_max;
  const unsigned affordable = connections_for(raise_descriptor_limit());
  if (affordable >= wanted) return;
  log::warn("limits.connections is lowered: the system allows too few descriptors (ulimit -n, LimitNOFILE)",
            {{"wanted", wanted}, {"connections", affordable}});
  auto lowered = std::make_shared<gateway::Snapshot>(*in_force_.snapshot);
  lowered->limits.connections_max = affordable;
  in_force_.snapshot = std::move(lowered);
}

Result<void> Runtime::open_sockets() {
  const auto open = [](const Address& address, auto into) -> Result<void> {
    auto socket = io::ListenSocket::open(address);
    if (!socket) return pass_on(std::move(socket));
    into(std::move(*socket));
    return {};
  };
  for (const gateway::ListenOptions& listen : config_.listen)
    if (auto opened = open(listen.address, [&](auto s) { client_sockets_.push_back(std::move(s)); }); !opened)
      return opened;
  if (auto opened =
          open(config_.gateway.session_address, [&](auto s) { session_socket_.emplace(std::move(s)); });
      !opened)
    return opened;
  return open(config_.admin.address, [&](auto s) { admin_socket_.emplace(std::move(s)); });
}

Result<void> Runtime::start() {
  const bool supervises =
      std::ranges::any_of(config_.services, [](const auto& s) { return !s.command.empty(); });
  if (supervises) {
    auto folder = make_runtime_folder();
    if (!folder) return pass_on(std::move(folder));
    folder_ = std::move(*folder);
    auto guardian = io::Guardian::start(folder_);
    if (!guardian) return pass_on(std::move(guardian));
    guardian_.emplace(std::move(*guardian));
  }
  // The guardian forks, so threads come only now.
  io::block_signals(kSignals);
  log::start(config_.log.format, log::Level::info);
  fit_connections_to_descriptors();
  for (const std::string& warning : config_.warnings) log::warn(warning);
  if (auto opened = open_sockets(); !opened) return opened;
  auto store = open_store(config_.store, clock_);
  if (!store) return pass_on(std::move(store));

  const bool seals = std::ranges::any_of(config_.sessions, &session::SessionOptions::seals_cookies);
  if (seals)
    if (auto used = keys_.use(config_.gateway.key_file); !used) return used;

  resolver_.emplace("resolver");
  for (const upstream::ServiceOptions& options : config_.services)
    in_force_.services.push_back(std::make_shared<upstream::Service>(options, clock_));
  sessions_ = std::make_unique<session::Sessions>(**store, keys_, clock_, random_);
  const Shared shared{clock_, random_, *resolver_, *sessions_, pipeline_, counters_};
  const std::string base = fmt::format("http://{}/", to_string(session_socket_->address()));
  for (unsigned i = 0; i < thread_count(config_.gateway); ++i)
    loops_.push_back(std::make_unique<GatewayLoop>(shared, fmt::format("{}{}/", base, i)));
  for (const auto& loop : loops_) loop->configure(in_force_.snapshot, in_force_.services);
  store_ = std::move(*store);
  return start_services();
}

Result<void> Runtime::start_services() {
  for (const auto& service : in_force_.services) {
    monitors_.push_back(std::make_unique<upstream::Monitor>(*service, home(), loops_.front()->network()));
    if (!service->roster()->supervised()) continue;
    upstream::SupervisorOptions options;
    options.folder = folder_;
    auto supervisor = upstream::Supervisor::start(*service, home(), &*guardian_, std::move(options));
    if (!supervisor) return pass_on(std::move(supervisor));
    supervisors_.emplace(service->name(), std::move(*supervisor));
  }
  return {};
}

int Runtime::run() {
  background_ = std::make_unique<Background>(Background::Parts{
      .config = config_,
      .in_force = in_force_,
      .clock = clock_,
      .loops = loops_,
      .supervisors = supervisors_,
      .store = *store_,
      .keys = keys_,
      .counters = counters_,
      .draining = draining_,
      .session_socket = *session_socket_,
      .admin_socket = *admin_socket_,
  });
  background_->spawn(handle_signals());
  for (const auto& loop : loops_)
    for (const io::ListenSocket& s : client_sockets_) loop->listen(s);
  for (const io::ListenSocket& s : client_sockets_)
    log::info("listening", {{"address", to_string(s.address())}, {"for", "clients"}});
  log::info("listening", {{"address", to_string(admin_socket_->address())}, {"for", "admin"}});
  for (std::size_t i = 1; i < loops_.size(); ++i)
    threads_.emplace_back([&loop = loops_[i]->loop()] { loop.run(); });
  home().run();
  return kExitDone;
}

io::Task<void> Runtime::handle_signals() {
  io::SignalSource signals(home(), kSignals);
  for (;;) {
    const int number = co_await signals.next();
    if (number == SIGHUP) {
      log::warn("SIGHUP: this release does not reload; restart the gateway instead");
      continue;
    }
    if (draining_.exchange(true)) {
      log::warn("a second signal: stopping without waiting");
      home().stop();
      continue;
    }
    log::info("draining", {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
    background_->spawn(shut_down());
  }
}

io::Task<void> Runtime::shut_down() {
  const TimePoint deadline = home().now() + config_.gateway.drain_timeout;
  for (const auto& loop : loops_) {
    auto drain = [this, &loop, deadline] {
      auto tell_home = [this] { ++loops_drained_; };
      auto done = [this, tell_home] { io::post(home(), tell_home); };
      loop->drain(deadline, done);
    };
    io::post(loop->loop(), std::move(drain));
  }
  while (loops_drained_ < loops_.size()) co_await io::sleep_for(home(), 5ms);
  io::TaskGroup stops;
  for (const auto& [name, supervisor] : supervisors_)
    stops.spawn(supervisor->stop(home().now() + kInstanceGrace));
  co_await stops.drained();
  log::info("stopped");
  home().stop();
}

Runtime::~Runtime() {
  for (const auto& loop : loops_) loop->loop().stop();
  for (std::thread& t : threads_) t.join();
  for (const auto& loop : loops_) loop->cut();
  background_.reset();
}

}  // namespace

int run_gateway(const config::Config& configuration) {
  int exit_code = kExitFailed;
  {
    Runtime runtime(configuration);
    if (auto started = runtime.start(); !started)
      fmt::print(stderr, "stateway: {}\n", started.error().context);
    else
      exit_code = runtime.run();
  }
  log::flush();
  return exit_code;
}

}  // namespace stateway
