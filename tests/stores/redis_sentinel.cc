#include "redis_sentinel.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "wait.h"

namespace stateway::stores {

RedisSentinel::RedisSentinel(SentinelOptions options) {
  start_servers(options);
  start_sentinels(options);
  wait_until_healthy();
}

void RedisSentinel::start_servers(const SentinelOptions& options) {
  for (std::size_t i = 0; i <= options.replicas; ++i) {
    RedisOptions one{.directives = options.directives, .password = options.password};
    if (i > 0) one.directives.push_back(fmt::format("replicaof 127.0.0.1 {}", servers_[0]->port()));
    servers_.push_back(std::make_unique<RedisServer>(std::move(one), RedisServer::Later()));
  }
  for (const auto& server : servers_) server->start_only();
  for (const auto& server : servers_) server->wait_until_ready();
}

void RedisSentinel::start_sentinels(const SentinelOptions& options) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < options.sentinels; ++i) {
    ids.push_back(random_id());
    sentinels_.push_back(std::make_unique<RedisServer>(
        RedisOptions{.password = options.sentinel_password, .sentinel = true}, RedisServer::Later()));
  }
  for (std::size_t i = 0; i < options.sentinels; ++i) {
    RedisServer& one = *sentinels_[i];
    const auto add = [&](const std::string& line) { one.add_directive("sentinel " + line); };
    add("myid " + ids[i]);
    if (!options.sentinel_password.empty()) add("sentinel-pass " + options.sentinel_password);
    add(fmt::format("monitor {} 127.0.0.1 {} {}", kName, servers_[0]->port(), options.sentinels / 2 + 1));
    add(fmt::format("down-after-milliseconds {} {}", kName, options.down_after.count()));
    add(fmt::format("failover-timeout {} {}", kName, 2 * options.down_after.count()));
    if (!options.password.empty()) add(fmt::format("auth-pass {} {}", kName, options.password));
    // Who knows the others from the start need not wait for their messages.
    for (std::size_t s = 1; s < servers_.size(); ++s)
      add(fmt::format("known-replica {} 127.0.0.1 {}", kName, servers_[s]->port()));
    for (std::size_t s = 0; s < options.sentinels; ++s)
      if (s != i) add(fmt::format("known-sentinel {} 127.0.0.1 {} {}", kName, sentinels_[s]->port(), ids[s]));
  }
  for (const auto& one : sentinels_) one->start_only();
  for (const auto& one : sentinels_) one->wait_until_ready();
}

std::vector<std::string> RedisSentinel::addresses() const {
  std::vector<std::string> out;
  for (const auto& one : sentinels_) out.push_back(one->address());
  return out;
}

std::size_t RedisSentinel::master() {
  std::string port;
  for (const auto& one : sentinels_) {
    if (!one->running()) continue;
    const RedisReply said = one->must({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", kName});
    if (said.items.size() != 2 || (!port.empty() && said.items[1].text != port)) return size();
    port = said.items[1].text;
  }
  const auto at = std::ranges::find_if(
      servers_, [&](const auto& server) { return std::to_string(server->port()) == port; });
  return static_cast<std::size_t>(at - servers_.begin());
}

void RedisSentinel::fail_over() {
  for (const auto& one : sentinels_) {
    if (!one->running()) continue;
    one->must({"SENTINEL", "FAILOVER", kName});
    return;
  }
  throw std::runtime_error("no sentinel runs");
}

std::size_t RedisSentinel::wait_for_another_master(std::size_t gone, Duration limit) {
  std::size_t found = size();
  const auto changed = [&] {
    found = master();
    return found != size() && found != gone && servers_[found]->running() &&
           servers_[found]->info("role") == "master";
  };
  wait_until(fmt::format("another master than {}", gone), [&] { return if_all_answer(changed); }, limit);
  return found;
}

bool RedisSentinel::is_healthy() {
  const std::size_t first = master();
  if (first == size() || !servers_[first]->running()) return false;
  const std::string port = std::to_string(servers_[first]->port());
  for (std::size_t i = 0; i < size(); ++i) {
    RedisServer& server = *servers_[i];
    if (i == first || !server.running()) continue;
    if (server.info("role") != "slave" || server.info("master_port") != port ||
        server.info("master_link_status") != "up")
      return false;
  }
  for (const auto& one : sentinels_)
    if (one->running() && one->ask({"SENTINEL", "CKQUORUM", kName}).failed()) return false;
  return true;
}

void RedisSentinel::wait_until_healthy(Duration limit) {
  wait_until(
      "every server that runs follows the master",
      [this] { return if_all_answer([this] { return is_healthy(); }); }, limit);
}

}  // namespace stateway::stores
