#include "stateway/wiring.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "io/guardian.h"
#include "io/signals.h"
#include "stateway/background.h"
#include "stateway/cli.h"
#include "stateway/descriptors.h"
#include "stateway/gateway_loop.h"
#include "stateway/snapshot.h"
#include "stateway/stores_in_force.h"

namespace stateway {
namespace {

constexpr std::initializer_list<int> kSignals = {SIGTERM, SIGINT, SIGHUP};
constexpr Duration kInstanceGrace = 5s;  // from SIGTERM to SIGKILL when the gateway stops

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
  Runtime(std::string path, std::shared_ptr<const config::Config> configuration)
      : held_{.path = std::move(path), .config = std::move(configuration), .shown = {}, .sockets = {}} {}
  ~Runtime();

  Result<void> start();
  int run();

 private:
  const config::Config& config() const { return *held_.config; }
  Result<void> start_guardian();
  Result<void> open_sockets();
  Result<void> start_services();
  io::Task<void> handle_signals();
  io::Task<void> reload();
  io::Task<void> shut_down();
  io::EpollLoop& home() { return loops_.front()->loop(); }

  Reloadable held_;
  SystemClock clock_;
  SystemRandom random_;
  gateway::Counters counters_;
  session::Holders holders_{config().gateway.hybrid_bytes_max};
  gateway::Pipeline pipeline_;
  std::optional<io::Guardian> guardian_;
  std::string folder_;
  std::optional<io::ListenSocket> session_socket_;
  std::optional<io::ListenSocket> admin_socket_;
  std::vector<std::unique_ptr<GatewayLoop>> loops_;
  std::optional<StoresInForce> stores_;  // before the loops that its answers go to
  session::KeyRing keys_{clock_, random_};
  std::unique_ptr<session::Sessions> sessions_;
  std::optional<io::Worker> resolver_;
  std::optional<Services> services_;
  std::unique_ptr<Background> background_;
  std::vector<std::thread> threads_;
  std::atomic<bool> draining_{false};
  std::size_t loops_drained_ = 0;
};

Result<void> Runtime::open_sockets() {
  const auto open = [](const Address& address, auto into) -> Result<void> {
    auto socket = io::ListenSocket::open(address);
    if (!socket) return pass_on(std::move(socket));
    into(std::move(*socket));
    return {};
  };
  for (const gateway::ListenOptions& listen : config().listen) {
    auto tls = make_tls(listen);
    if (!tls) return pass_on(std::move(tls));
    const auto keep = [this, &tls](io::ListenSocket socket) {
      held_.sockets.in_force.push_back({std::make_unique<io::ListenSocket>(std::move(socket)), *tls});
    };
    if (auto opened = open(listen.address, keep); !opened) return opened;
  }
  if (auto opened =
          open(config().gateway.session_address, [&](auto s) { session_socket_.emplace(std::move(s)); });
      !opened)
    return opened;
  return open(config().admin.address, [&](auto s) { admin_socket_.emplace(std::move(s)); });
}

// Also where no service has a command: the first one may come with a reload, and the guardian forks, which
// must be before there are threads.
Result<void> Runtime::start_guardian() {
  auto folder = make_runtime_folder();
  if (!folder) return pass_on(std::move(folder));
  folder_ = std::move(*folder);
  auto guardian = io::Guardian::start(folder_);
  if (!guardian) return pass_on(std::move(guardian));
  guardian_.emplace(std::move(*guardian));
  return {};
}

Result<void> Runtime::start() {
  if (auto started = start_guardian(); !started) return started;
  io::block_signals(kSignals);
  log::start(config().log.format, log::Level::info);
  raise_descriptor_limit();
  for (const std::string& warning : config().warnings) log::warn(warning);
  if (auto opened = open_sockets(); !opened) {
    opened.error().code = Code::invalid_argument;
    return opened;
  }
  auto stores = StoresInForce::open(config(), nullptr, clock_);
  if (!stores) {
    stores.error().code = Code::invalid_argument;
    return pass_on(std::move(stores));
  }
  stores_.emplace(std::move(*stores), loops_);

  if (auto used = use_keys(keys_, config()); !used) return used;
  resolver_.emplace("resolver");
  sessions_ = std::make_unique<session::Sessions>(stores_->store(), keys_, clock_, random_,
                                                  config().gateway.overlap_bytes_max);
  const Shared shared{clock_, random_, *resolver_, *sessions_, holders_, pipeline_, counters_};
  const std::string base = fmt::format("http://{}/", to_string(session_socket_->address()));
  for (unsigned i = 0; i < thread_count(config().gateway); ++i)
    loops_.push_back(std::make_unique<GatewayLoop>(shared, fmt::format("{}{}/", base, i)));
  stores_->attach();
  return start_services();
}

Result<void> Runtime::start_services() {
  services_.emplace(Services::Ground{.clock = clock_,
                                     .home = home(),
                                     .network = loops_.front()->network(),
                                     .guardian = *guardian_,
                                     .folder = folder_});
  std::vector<Services::Running> started;
  for (const upstream::ServiceOptions& options : config().services) {
    auto service = services_->start(options);
    if (!service) return pass_on(std::move(service));
    started.push_back(std::move(*service));
  }
  const std::vector<ReloadPlan::Fate> fates(started.size(), ReloadPlan::Fate::started);
  services_->replace(config().services, fates, std::move(started), {});
  show(held_.shown, config(), make_fitted_snapshot(config()), services_->in_force(), clock_.now());
  for (const auto& loop : loops_) loop->configure(held_.shown.snapshot, held_.shown.services);
  return {};
}

int Runtime::run() {
  background_ = std::make_unique<Background>(Background::Parts{
      .held = held_,
      .clock = clock_,
      .loops = loops_,
      .services = *services_,
      .stores = *stores_,
      .keys = keys_,
      .sessions = *sessions_,
      .holders = holders_,
      .counters = counters_,
      .draining = draining_,
      .session_socket = *session_socket_,
      .admin_socket = *admin_socket_,
  });
  background_->spawn(handle_signals());
  for (const ClientSocket& client : held_.sockets.in_force) {
    for (const auto& loop : loops_) loop->listen(*client.socket, client.tls);
    log_listening(client);
  }
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
      // One that waits for its turn will read the file as it is now.
      if (!background_->reloader().waiting()) background_->spawn(reload());
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

io::Task<void> Runtime::reload() {
  log::info("reloading", {{"signal", "SIGHUP"}});
  auto reloaded = co_await background_->reloader().reload();
  if (!reloaded) log::warn("nothing is reloaded", {{"reason", reloaded.error().context}});
}

io::Task<void> Runtime::shut_down() {
  co_await background_->reloader().ended();
  const TimePoint deadline = home().now() + config().gateway.drain_timeout;
  for (const auto& loop : loops_) {
    auto drain = [this, &loop, deadline] {
      auto tell_home = [this] { ++loops_drained_; };
      auto done = [this, tell_home] { io::post(home(), tell_home); };
      loop->drain(deadline, done);
    };
    io::post(loop->loop(), std::move(drain));
  }
  while (loops_drained_ < loops_.size()) co_await io::sleep_for(home(), 5ms);
  co_await services_->stop(home().now() + kInstanceGrace);
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

int run_gateway(const std::string& path, config::Config configuration) {
  int exit_code = kExitFailed;
  {
    // Absolute: a reload must find the same file wherever the process is by then.
    Runtime runtime(std::filesystem::absolute(path),
                    std::make_shared<const config::Config>(std::move(configuration)));
    if (auto started = runtime.start(); started) {
      exit_code = runtime.run();
    } else {
      fmt::print(stderr, "stateway: {}\n", started.error().context);
      // Stores and addresses stand beside the file: all of them are the operator's to put right.
      if (started.error().code == Code::invalid_argument) exit_code = kExitBadUsage;
    }
  }
  log::flush();
  return exit_code;
}

}  // namespace stateway
