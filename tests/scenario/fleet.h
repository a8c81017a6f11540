// Two gateways in front of one store: what a balancer of a data center chooses from.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "cart_load.h"
#include "site.h"

namespace stateway::scenario {

class Fleet : public testing::Test {
 protected:
  void TearDown() override {
    for (Front& front : fronts) front.finish();
  }

  /// Starts both with the same configuration, in which @SHARED@ becomes a folder that both know.
  void start(const std::string& config) {
    for (Front& front : fronts) front.start(with_shared(config));
  }
  std::string with_shared(std::string config) const;
  /// The key file that both have.
  std::string keys() const { return shared / "keys"; }

  /// The sum over both of a number in GET /v1/status, wherever it stands there.
  std::uint64_t counted(std::string_view name);

  Folder shared;
  std::array<Front, 2> fronts;
};

}  // namespace stateway::scenario
