#include "redis_server.h"

#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "base/random.h"
#include "wait.h"

namespace stateway::stores {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

}  // namespace

RedisServer::RedisServer(RedisOptions options, Later)
    : options_(std::move(options)), client_(folder_.path() + "/redis.sock", options_.password) {
  write_configuration();
}

RedisServer::~RedisServer() = default;

std::string RedisServer::address() const { return "127.0.0.1:" + std::to_string(port()); }

void RedisServer::write_configuration() const {
  std::ofstream out(folder() + "/redis.conf");
  const std::string number = std::to_string(port());
  out << "bind 127.0.0.1\n"
      << "unixsocket " << socket() << "\n"
      << "dir " << folder() << "\n"
      << "daemonize no\n";
  if (options_.tls) {
    out << "port 0\ntls-port " << number << "\n"
        << "tls-cert-file " << options_.tls->certificate << "\n"
        << "tls-key-file " << options_.tls->key << "\n"
        << "tls-ca-cert-file " << options_.tls->ca << "\n"
        << "tls-auth-clients " << (options_.tls->clients_need_one ? "yes" : "no") << "\n";
  } else {
    out << "port " << number << "\n";
  }
  if (!options_.sentinel)
    out << "save \"\"\nappendonly no\nshutdown-timeout 0\nrepl-diskless-sync-delay 0\n"
        << "enable-debug-command local\n";
  if (!options_.password.empty()) {
    out << "requirepass " << quoted(options_.password) << "\n";
    if (!options_.sentinel) out << "masterauth " << quoted(options_.password) << "\n";
  }
  for (const std::string& line : options_.directives) out << line << "\n";
  out.close();
  if (!out) throw std::runtime_error("cannot write redis.conf in " + folder());
}

void RedisServer::start() {
  start_only();
  wait_until_ready();
}

void RedisServer::start_only() {
  if (running()) throw std::runtime_error("it runs already");
  client_.disconnect();
  lab::Program::Setup setup;
  setup.words = {"redis-server", folder() + "/redis.conf"};
  if (options_.sentinel) setup.words.push_back("--sentinel");
  setup.output_file = folder() + "/log";
  auto started = lab::Program::start(setup);
  if (!started) throw std::runtime_error(started.error().context + " (tools/setup test installs it)");
  process_ = std::move(*started);
}

void RedisServer::wait_until_ready(Duration limit) {
  const auto ready = [&] {
    if (!running()) throw std::runtime_error("redis-server ended:\n" + log());
    return answers();
  };
  wait_until("redis-server answers; its log:\n" + log(), ready, limit);
}

void RedisServer::stop() {
  if (!running()) return;
  thaw();
  process_->signal(SIGTERM);
  if (!process_->wait(20s)) throw std::runtime_error("redis-server does not stop:\n" + log());
  client_.disconnect();
}

void RedisServer::kill() {
  if (!running()) return;
  process_->signal(SIGKILL);
  if (!process_->wait(20s)) throw std::runtime_error("redis-server outlives SIGKILL");
  client_.disconnect();
}

void RedisServer::freeze() { process_->signal(SIGSTOP); }
void RedisServer::thaw() { process_->signal(SIGCONT); }

std::string RedisServer::info(std::string_view name) {
  const std::string text = "\r\n" + must({"INFO", "everything"}).text;
  const auto at = text.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) throw std::runtime_error("INFO has no " + std::string(name));
  const auto from = at + name.size() + 3;
  return text.substr(from, text.find("\r\n", from) - from);
}

std::string random_id() {
  SystemRandom random;
  std::string id;
  for (int i = 0; i < 5; ++i) id += fmt::format("{:08x}", random.u64() & 0xffff'ffff);
  return id;
}

std::string RedisServer::log() const { return lab::read_file(folder() + "/log"); }

void RedisServer::add_directive(std::string line) {
  options_.directives.push_back(std::move(line));
  write_configuration();
}

}  // namespace stateway::stores
