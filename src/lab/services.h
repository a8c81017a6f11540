// What the admin API says about services and their instances, for those who kill them and look who is left.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "io/network.h"
#include "lab/faults.h"

namespace stateway::lab {

struct InstanceInfo {
  std::string service;
  std::string name;
  std::string address;
  std::string state;
  pid_t pid = 0;  // 0: not one the gateway started, or not running now
};

/// Reads the body of GET /v1/services: {"services": [{"name", "instances": [{"name", "address", "state",
/// "pid"}]}]}. Error: bad_response.
Result<std::vector<InstanceInfo>> parse_services(std::string_view body);

/// Asks the admin API at `admin`. Errors: as connecting and Client have; bad_response for any status but 200.
io::Task<Result<std::vector<InstanceInfo>>> read_services(io::Network& network, Address admin,
                                                          TimePoint deadline);

/// The processes of one service, for a Killer. While the admin API does not answer there are none.
class ServiceTargets final : public Targets {
 public:
  ServiceTargets(io::Loop& loop, io::Network& network, Address admin, std::string service)
      : loop_(loop), network_(network), admin_(std::move(admin)), service_(std::move(service)) {}
  io::Task<std::vector<pid_t>> alive() override;

 private:
  io::Loop& loop_;
  io::Network& network_;
  Address admin_;
  std::string service_;
};

}  // namespace stateway::lab
