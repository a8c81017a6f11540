// Hosts of the simulated network: they connect and listen as the production network does.
#pragma once

#include <coroutine>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/network.h"
#include "io/sim/link.h"

namespace stateway::io {

class SimAcceptor;

/// The wires between the hosts. One loop.
class SimNetwork {
 public:
  /// Connections that wait to be accepted by one acceptor; later ones are not answered.
  static constexpr std::size_t kBacklog = 128;

  /// `loop` and `random` must outlive it; it must outlive its hosts.
  SimNetwork(SimLoop& loop, Random& random, const Faults& faults = {}) : medium_{loop, random, faults, {}} {}

  /// For what is connected, written and read from now on.
  void set_faults(const Faults& faults) { medium_.faults = faults; }
  const SimCounters& counters() const { return medium_.counters; }

 private:
  friend class SimHost;
  friend class SimAcceptor;
  SimMedium medium_;
  std::map<std::string, SimAcceptor*> listening_;  // by address
};

/// One machine. Its connections are accepted as coming from `ip`.
class SimHost final : public Network {
 public:
  SimHost(SimNetwork& network, std::string ip) : network_(network), ip_(std::move(ip)) {}
  SimHost(const SimHost&) = delete;
  SimHost& operator=(const SimHost&) = delete;

  Task<Result<std::unique_ptr<Stream>>> connect(const Address& to, TimePoint deadline) override;
  /// CHECKs that nobody listens at `at`. Whoever is waiting in its backlog when it dies gets a reset.
  std::unique_ptr<Acceptor> listen(const Address& at);

  /// No power, no cable: what it has open goes silent, nothing reaches it. Until `reappear`; what was open
  /// stays silent.
  void vanish();
  void reappear() { gone_ = false; }

 private:
  friend class SimAcceptor;
  void remember(const std::shared_ptr<SimLink>& link);

  SimNetwork& network_;
  std::string ip_;
  bool gone_ = false;
  std::vector<std::weak_ptr<SimLink>> links_;  // the closed ones are forgotten now and then
};

class SimAcceptor final : public Acceptor, private SimWatch {
 public:
  SimAcceptor(SimHost& host, std::string at);
  ~SimAcceptor() override;
  Task<Result<Accepted>> accept() override;

 private:
  friend class SimHost;
  struct Waiting {
    std::shared_ptr<SimLink> link;
    std::string peer;
  };

  class Turn;
  void push(Waiting waiting);
  void on_events(unsigned) override;

  SimHost& host_;
  std::string at_;
  std::deque<Waiting> backlog_;
  std::coroutine_handle<> waiting_;
};

}  // namespace stateway::io
