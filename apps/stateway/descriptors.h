// How many connections the system's limit of open files leaves room for.
#pragma once

#include <cstdint>

namespace stateway {

/// Raises this process's soft limit of descriptors to the hard one, and returns it.
std::uint64_t raise_descriptor_limit();

/// Client connections that `descriptors` allow: each may need one more to an instance, and
/// kDescriptorsReserved stay for the store's files, listeners, pipes of instances and the admin API. At
/// least 1.
unsigned connections_for(std::uint64_t descriptors);

inline constexpr std::uint64_t kDescriptorsReserved = 512;

}  // namespace stateway
