// The master of a group that sentinels watch: asked for anew with each connection.
// https://redis.io/docs/latest/develop/reference/sentinel-clients/
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/redis/single.h"

namespace stateway::store::redis {

/// Asks the sentinels in turn, first the one that named a server that could be used.
class SentinelDialer final : public Dialer {
 public:
  static constexpr Duration kPatience = 500ms;  // with one sentinel

  /// `sentinels`: one at least. The loop, the network and `access` must outlive the dialer. Sentinels that
  /// want a password get that of the servers.
  SentinelDialer(io::Loop& loop, io::Network& network, std::vector<Address> sentinels, std::string master,
                 const Access& access);
  io::Task<Result<std::unique_ptr<io::Stream>>> dial(TimePoint deadline) override;
  void greeted() override { proved_ = true; }
  std::string name() const override { return "redis " + master_; }

 private:
  io::Task<Result<Address>> ask(Address sentinel, TimePoint deadline);

  io::Loop& loop_;
  io::Network& network_;
  std::vector<Address> sentinels_;  // whom to ask first, and so on
  bool proved_ = true;              // what the first of them said, or nobody was asked yet
  const std::string master_;
  const Access& access_;
};

/// Like one server, whichever that is now. The check of each connection refuses one that is no master (any
/// more).
class SentinelTopology final : public SingleTopology {
 public:
  SentinelTopology(std::vector<Address> sentinels, std::string master, Access access)
      : SingleTopology(sentinels.front(), std::move(access)),
        sentinels_(std::move(sentinels)),
        master_(std::move(master)) {}

 private:
  std::unique_ptr<Dialer> make_dialer(io::Loop& loop, io::Network& network) override {
    return std::make_unique<SentinelDialer>(loop, network, sentinels_, master_, access());
  }

  const std::vector<Address> sentinels_;
  const std::string master_;
};

}  // namespace stateway::store::redis
