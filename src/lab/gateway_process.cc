#include "lab/gateway_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <chrono>

#include "base/random.h"
#include "wire/client.h"

namespace stateway::lab {
namespace {

constexpr std::string_view kMarkName = "STATEWAY_LAB_MARK";

// The value of a string member in a log line; such values hold addresses only, so there are no escapes.
std::string_view member(std::string_view line, std::string_view name) {
  const std::string key = fmt::format(R"("{}":")", name);
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find('"'));
}

io::Task<bool> is_ready(io::Loop& loop, io::Network& network, Address admin) {
  const TimePoint deadline = loop.now() + 1s;
  auto stream = co_await network.connect(admin, deadline);
  if (!stream) co_return false;
  wire::Client client(std::move(*stream), {});
  const std::string host = to_string(admin);
  wire::ClientRequest request;
  request.target = "/readyz";
  request.host = host;
  const auto response = co_await client.exchange(request, deadline);
  co_return response && response->status == 200;
}

}  // namespace

GatewayProcess::GatewayProcess(Setup setup) : setup_(std::move(setup)) {
  SystemRandom random;
  const std::string value = fmt::format("{:016x}", random.u64());
  mark_ = fmt::format("{}={}", kMarkName, value);
  setup_.environment.emplace_back(kMarkName, value);
}

GatewayProcess::~GatewayProcess() {
  if (program_ == nullptr) return;
  kill();
  // The guardian ends by itself; what is still there afterwards is a bug of the gateway, but must not outlive
  // us.
  for (int i = 0; i < 2000 && !processes().empty(); ++i) {
    if (i == 1000)
      for (const pid_t left : processes()) ::kill(left, SIGKILL);
    pollfd nothing{};
    poll(&nothing, 0, 5);
  }
}

Result<void> GatewayProcess::start() {
  log_octets_before_ = log().size();
  clients_ = admin_ = {};
  auto program = Program::start({.words = {setup_.binary, "run", "-c", setup_.config_file},
                                 .environment = setup_.environment,
                                 .output_file = setup_.log_file});
  if (!program) return pass_on(std::move(program));
  program_ = std::move(*program);
  return {};
}

bool GatewayProcess::listening() {
  if (clients_.port != 0 || !clients_.path.empty()) return true;
  const std::string written = log().substr(log_octets_before_);
  Address clients, admin;
  for (std::string_view rest = written; rest.find('\n') != std::string_view::npos;) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (member(line, "msg") != "listening") continue;
    const auto address = parse_address(member(line, "address"));
    if (!address) continue;
    Address& said = member(line, "for") == "admin" ? admin : clients;
    if (said == Address()) said = *address;
  }
  if (clients == Address() || admin == Address()) return false;
  clients_ = clients;
  admin_ = admin;
  return true;
}

io::Task<Result<void>> GatewayProcess::ready(io::Loop& loop, io::Network& network, TimePoint deadline) {
  while (loop.now() < deadline) {
    if (!running()) co_return fail(Code::closed, Side::self, "the gateway has ended");
    if (listening() && co_await is_ready(loop, network, admin_)) co_return Result<void>{};
    co_await io::sleep_for(loop, 10ms);
  }
  co_return fail(Code::timeout, Side::self, "the gateway did not become ready");
}

void GatewayProcess::kill() {
  if (program_ == nullptr) return;
  program_->signal(SIGKILL);
  (void)program_->wait(10s);
}

Result<io::Exit> GatewayProcess::stop(Duration limit) {
  program_->signal(SIGTERM);
  return program_->wait(limit);
}

}  // namespace stateway::lab
