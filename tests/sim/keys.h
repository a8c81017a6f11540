// The key file of all gateways in the simulation: one for the whole program, in memory, the same each time.
#pragma once

#include <string>

#include "session/key_set.h"

namespace stateway::sim {

const session::KeySet& key_set();
/// Where KeyRing finds them. No disk is touched.
const std::string& key_file();

}  // namespace stateway::sim
