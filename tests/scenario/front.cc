#include "front.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/bytes.h"

namespace stateway::scenario {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string program(const char* variable, const char* built) {
  const char* other = std::getenv(variable);
  return other != nullptr ? other : built;
}

// The last lines of a log.
std::string tail(const std::string& log) {
  std::vector<std::string_view> lines;
  for (std::string_view rest = log; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    lines.push_back(line);
  }
  std::string out;
  for (std::size_t i = lines.size() > 60 ? lines.size() - 60 : 0; i < lines.size(); ++i)
    out.append(lines[i]).append("\n");
  return out;
}

}  // namespace

bool pause_and_check_time(TimePoint deadline) {
  pollfd nothing{};
  poll(&nothing, 0, 5);
  return std::chrono::steady_clock::now() < deadline;
}

const std::string& stateway_binary() {
  static const std::string kPath = program("STATEWAY_BINARY", BUILT_STATEWAY);
  return kPath;
}

const std::string& cart_binary() {
  static const std::string kPath = program("STATEWAY_CART", BUILT_CART);
  return kPath;
}

const std::string& origin_binary() {
  static const std::string kPath = BUILT_ORIGIN;
  return kPath;
}

bool is_sanitized() {
  static const bool kFound = [] {
    const std::string binary = lab::read_file(stateway_binary());
    return binary.find("__asan_init") != std::string::npos || binary.find("__tsan_init") != std::string::npos;
  }();
  return kFound;
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : parse_decimal(value).value_or(otherwise);
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "stateway-XXXXXX").string();
  CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Front::Front() {
  lab::GatewayProcess::Setup setup;
  setup.binary = stateway_binary();
  setup.config_file = folder / "stateway.toml";
  setup.log_file = folder / "log";
  setup.environment = {{"CART_JOURNAL", folder / "journal"}};
  gateway = std::make_unique<lab::GatewayProcess>(std::move(setup));
}

void Front::finish() {
  if (gateway->running()) stop();
  if (testing::Test::HasFailure())
    std::cerr << "---- the gateway's log\n" << tail(gateway->log()) << "----\n";
}

void Front::write_config(std::string_view config) {
  config_ = config;
  std::string text = replaced(config_, "@CLIENTS@", clients_);
  text = replaced(text, "@ADMIN@", admin_);
  text = replaced(text, "@DIR@", folder.path());
  text = replaced(text, "@CART@", cart_binary());
  text = replaced(text, "@ORIGIN@", origin_binary());
  std::ofstream(folder / "stateway.toml") << text;
}

void Front::start(std::string_view config) {
  clients_ = admin_ = "127.0.0.1:0";
  write_config(config);
  const auto started = gateway->start();
  ASSERT_TRUE(started.has_value()) << started.error().context;
  wait_until_ready();
}

void Front::restart(bool wait) {
  clients_ = to_string(gateway->clients());
  admin_ = to_string(gateway->admin());
  write_config(config_);
  const auto started = gateway->start();
  ASSERT_TRUE(started.has_value()) << started.error().context;
  if (wait) wait_until_ready();
}

void Front::wait_until_ready() {
  bool ended = false;
  const bool ready = eventually(
      [&] {
        ended = !gateway->running();
        return ended || (gateway->listening() && ask_admin("/readyz").status == 200);
      },
      30s);
  ASSERT_TRUE(ready && !ended) << "the gateway did not become ready";
}

void Front::stop() {
  const auto exit = gateway->stop(30s);
  ASSERT_TRUE(exit.has_value()) << exit.error().context;
  EXPECT_EQ(exit->signal, 0);
  EXPECT_EQ(exit->status, 0);
  expect_nothing_left();
}

void Front::expect_nothing_left() {
  EXPECT_TRUE(eventually([&] { return gateway->processes().empty(); }, 10s))
      << "left behind: " << testing::PrintToString(gateway->processes());
}

Reply Front::ask(std::string_view method, std::string_view target, std::string_view more,
                 std::string_view body) {
  const std::string length = body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
  Raw raw = connect();
  EXPECT_TRUE(raw.connected());
  if (!raw.connected()) return {};
  return raw.ask(fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}{}\r\n{}", method, target,
                             to_string(gateway->clients()), more, length, body));
}

void Browser::take(const Reply& reply) {
  instance = reply.field("Stateway-Instance");
  if (!reply.has("Set-Cookie")) return;
  const std::string set = reply.field("Set-Cookie");
  cookie = set.substr(0, set.find(';'));
}

Reply Front::browse(Browser& browser, std::string_view method, std::string_view target,
                    std::string_view body) {
  Reply reply = ask(method, target, browser.header(), body);
  browser.take(reply);
  return reply;
}

Reply Front::ask_admin(std::string_view target, std::string_view more) {
  Raw raw(gateway->admin());
  if (!raw.connected()) return {};
  return raw.ask(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n", target,
                             to_string(gateway->admin()), more));
}

std::uint64_t Front::status_number(std::string_view name) {
  const std::string status = ask_admin("/v1/status").body;
  const std::string key = fmt::format("\"{}\":", name);
  const std::size_t at = status.find(key);
  EXPECT_NE(at, std::string::npos) << "no " << name << " in " << status;
  if (at == std::string::npos) return 0;
  const std::string_view rest = std::string_view(status).substr(at + key.size());
  return parse_decimal(rest.substr(0, rest.find_first_of(",}"))).value_or(0);
}

Reply Front::reload(std::string_view more) {
  Raw raw(gateway->admin());
  EXPECT_TRUE(raw.connected());
  if (!raw.connected()) return {};
  return raw.ask(
      fmt::format("POST /v1/reload HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n"
                  "Content-Type: application/json\r\n{}\r\n",
                  to_string(gateway->admin()), more));
}

void Front::reload_with(std::string_view config) {
  write_config(config);
  const Reply reloaded = reload();
  EXPECT_EQ(reloaded.status, 200) << reloaded.body;
}

std::vector<lab::InstanceInfo> Front::instances() {
  const auto parsed = lab::parse_services(ask_admin("/v1/services").body);
  EXPECT_TRUE(parsed.has_value());
  return parsed.value_or(std::vector<lab::InstanceInfo>());
}

void Front::kill_instance(pid_t pid) {
  ASSERT_GT(pid, 1);
  kill(pid, SIGKILL);
  // Reaped by the gateway, or a zombie until it is: either way its sockets are closed. Before that it still
  // accepts.
  eventually([&] {
    const std::string stat = lab::read_file(fmt::format("/proc/{}/stat", pid));
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  });
}

void Front::wait_until_all_are_up() {
  eventually([&] {
    const auto all = instances();
    for (const lab::InstanceInfo& i : all)
      if (i.state != "up" || i.pid == 0) return false;
    return !all.empty();
  });
}

}  // namespace stateway::scenario
