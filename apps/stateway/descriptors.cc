#include "stateway/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace stateway {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;  // what every system grants
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) return limit.rlim_cur;
  return raised.rlim_cur;
}

unsigned connections_for(std::uint64_t descriptors) {
  const std::uint64_t free = descriptors > kDescriptorsReserved ? descriptors - kDescriptorsReserved : 0;
  return static_cast<unsigned>(std::clamp<std::uint64_t>(free / 2, 1, std::numeric_limits<unsigned>::max()));
}

}  // namespace stateway
