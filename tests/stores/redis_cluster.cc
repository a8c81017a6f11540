#include "redis_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/bytes.h"
#include "wait.h"

namespace stateway::stores {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

RedisCluster::Slot slot_from(const std::string& digits) {
  const auto number = parse_decimal(digits);
  if (!number || *number >= kClusterSlots) throw std::runtime_error("no slot: " + digits);
  return static_cast<RedisCluster::Slot>(*number);
}

bool has_flag(const std::string& flags, std::string_view flag) {
  const auto all = split(flags, ',');
  return std::ranges::find(all, flag) != all.end();
}

}  // namespace

RedisCluster::RedisCluster(ClusterOptions options) {
  const std::size_t count = options.masters * (1 + options.replicas);
  for (std::size_t i = 0; i < count; ++i) {
    RedisOptions one{.directives = {"cluster-enabled yes", "cluster-config-file nodes.conf",
                                    // A replica takes over however long its master has been away.
                                    "cluster-replica-validity-factor 0", "cluster-allow-replica-migration no",
                                    fmt::format("cluster-node-timeout {}", options.node_timeout.count())},
                     .password = options.password};
    one.tls = options.tls;
    if (options.tls) one.directives.insert(one.directives.end(), {"tls-cluster yes", "tls-replication yes"});
    one.directives.insert(one.directives.end(), options.directives.begin(), options.directives.end());
    nodes_.push_back(std::make_unique<RedisServer>(std::move(one), RedisServer::Later()));
    nodes_.back()->add_directive(fmt::format("cluster-port {}", nodes_.back()->bus_port()));
    ids_.push_back(random_id());
  }
  // Nodes that know each other from the start need no introductions (CLUSTER MEET) and no gossip.
  for (std::size_t i = 0; i < count; ++i) write_nodes_file(i, options);
  for (const auto& node : nodes_) node->start_only();
  for (const auto& node : nodes_) node->wait_until_ready();
  wait_until_healthy();
}

void RedisCluster::write_nodes_file(std::size_t number, const ClusterOptions& options) const {
  std::ofstream out(nodes_[number]->folder() + "/nodes.conf");
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::size_t master = i % options.masters;
    out << fmt::format("{} 127.0.0.1:{}@{} {}{} {} 0 0 {} connected", ids_[i], nodes_[i]->port(),
                       nodes_[i]->bus_port(), i == number ? "myself," : "", i == master ? "master" : "slave",
                       i == master ? "-" : ids_[master], master + 1);
    if (i == master)
      out << fmt::format(" {}-{}", kClusterSlots * master / options.masters,
                         kClusterSlots * (master + 1) / options.masters - 1);
    out << "\n";
  }
  out << fmt::format("vars currentEpoch {} lastVoteEpoch 0\n", options.masters);
}

std::vector<std::string> RedisCluster::addresses() const {
  std::vector<std::string> out;
  for (const auto& node : nodes_) out.push_back(node->address());
  return out;
}

std::size_t RedisCluster::number_of(std::string_view id) const {
  const auto at = std::ranges::find(ids_, id);
  if (at == ids_.end()) throw std::runtime_error("a node that is none of ours: " + std::string(id));
  return static_cast<std::size_t>(at - ids_.begin());
}

// A line: id, address, flags, master's id, ping, pong, epoch, link, slots ("5461", "0-5460", "[93->-id]").
std::vector<RedisCluster::View> RedisCluster::views_of(std::size_t witness) {
  std::vector<View> views;
  for (const std::string& line : split(nodes_[witness]->must({"CLUSTER", "NODES"}).text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() < 8) throw std::runtime_error("CLUSTER NODES: " + line);
    View view{.node = number_of(words[0])};
    view.master = words[3] == "-" ? view.node : number_of(words[3]);
    view.alive = !has_flag(words[2], "fail") && !has_flag(words[2], "fail?") &&
                 (words[7] == "connected" || has_flag(words[2], "myself"));
    for (std::size_t i = 8; i < words.size(); ++i) {
      if (words[i].starts_with('[')) continue;
      const auto dash = words[i].find('-');
      const Slot first = slot_from(words[i].substr(0, dash));
      view.slots.emplace_back(first,
                              dash == std::string::npos ? first : slot_from(words[i].substr(dash + 1)));
    }
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<std::size_t> RedisCluster::owners_of(std::size_t witness) {
  std::vector<std::size_t> owners(kClusterSlots, size());
  for (const View& view : views_of(witness))
    for (const auto& [first, last] : view.slots)
      std::fill(owners.begin() + first, owners.begin() + last + 1, view.node);
  return owners;
}

RedisCluster::Slot RedisCluster::slot_of(std::string_view key) {
  for (const auto& node : nodes_)
    if (node->running())
      return static_cast<Slot>(node->must({"CLUSTER", "KEYSLOT", std::string(key)}).integer);
  throw std::runtime_error("no node runs");
}

std::size_t RedisCluster::master_of(Slot slot) {
  std::size_t owner = size();
  for (std::size_t i = 0; i < size(); ++i) {
    if (!nodes_[i]->running()) continue;
    const std::size_t said = owners_of(i)[slot];
    if (owner != size() && said != owner) return size();
    owner = said;
  }
  return owner;
}

std::vector<std::size_t> RedisCluster::replicas_of(std::size_t master) {
  std::vector<std::size_t> out;
  for (const View& view : views_of(master))
    if (view.master == master && view.node != master) out.push_back(view.node);
  return out;
}

bool RedisCluster::is_healthy() {
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < size(); ++i) {
    RedisServer& node = *nodes_[i];
    if (!node.running()) continue;
    if (!node.must({"CLUSTER", "INFO"}).text.starts_with("cluster_state:ok")) return false;
    const auto said = owners_of(i);
    if (!owners.empty() && said != owners) return false;
    owners = said;
    for (const View& view : views_of(i)) {
      if (nodes_[view.node]->running() != view.alive) return false;
      const bool serves = std::ranges::find(owners, view.node) != owners.end();
      if (serves && !nodes_[view.node]->running()) return false;
      // Who was restarted takes itself for a master until it hears of its heir.
      const bool idles = !serves && view.master == view.node;
      if (idles && nodes_[view.node]->running()) return false;
    }
    if (node.info("role") == "slave" && node.info("master_link_status") != "up") return false;
  }
  return !owners.empty();
}

void RedisCluster::wait_until_healthy(Duration limit) {
  wait_until(
      "the cluster is healthy", [this] { return if_all_answer([this] { return is_healthy(); }); }, limit);
}

std::size_t RedisCluster::wait_for_another_master(Slot slot, std::size_t gone, Duration limit) {
  std::size_t owner = size();
  const auto changed = [&] {
    owner = master_of(slot);
    return owner != size() && owner != gone;
  };
  wait_until(
      fmt::format("another master than {} for slot {}", gone, slot), [&] { return if_all_answer(changed); },
      limit);
  return owner;
}

void RedisCluster::begin_move(Slot slot, std::size_t to) {
  const std::size_t from = master_of(slot);
  if (from == size() || from == to) throw std::runtime_error("the slot cannot be moved");
  const std::string number = std::to_string(slot);
  // In this order: an owner that says ASK must point to somebody who is prepared.
  nodes_[to]->must({"CLUSTER", "SETSLOT", number, "IMPORTING", ids_[from]});
  nodes_[from]->must({"CLUSTER", "SETSLOT", number, "MIGRATING", ids_[to]});
}

std::size_t RedisCluster::move_keys(Slot slot, std::size_t to, std::size_t most) {
  RedisServer& from = *nodes_[master_of(slot)];
  const RedisReply keys = from.must({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), std::to_string(most)});
  if (keys.items.empty()) return 0;
  Words words = {"MIGRATE", "127.0.0.1", std::to_string(nodes_[to]->port()), "", "0", "5000"};
  if (!from.password().empty()) words.insert(words.end(), {"AUTH", from.password()});
  words.push_back("KEYS");
  for (const RedisReply& key : keys.items) words.push_back(key.text);
  from.must(words);
  return keys.items.size();
}

void RedisCluster::end_move(Slot slot, std::size_t to) {
  const Words words = {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]};
  const std::size_t from = master_of(slot);
  // The new owner first: if the old one forgot the slot before, nobody would have it.
  nodes_[to]->must(words);
  if (from != size() && from != to) nodes_[from]->must(words);
}

void RedisCluster::move(Slot first, Slot last, std::size_t to) {
  for (Slot slot = first; slot <= last; ++slot) {
    if (master_of(slot) == to) continue;
    begin_move(slot, to);
    while (move_keys(slot, to) > 0) {
    }
    end_move(slot, to);
  }
}

}  // namespace stateway::stores
