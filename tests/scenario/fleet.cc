#include "fleet.h"

namespace stateway::scenario {

std::string Fleet::with_shared(std::string config) const {
  constexpr std::string_view kName = "@SHARED@";
  for (std::size_t at = config.find(kName); at != std::string::npos; at = config.find(kName, at))
    config.replace(at, kName.size(), shared.path());
  return config;
}

std::uint64_t Fleet::counted(std::string_view name) {
  std::uint64_t sum = 0;
  for (Front& front : fronts) sum += front.status_number(name);
  return sum;
}

}  // namespace stateway::scenario
