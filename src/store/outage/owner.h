// Whose journal a folder is: what waits for one store must never reach another.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace stateway::store::outage {

/// The store that the folder's journal was last written for, in the words of `write_owner`; empty: nobody
/// said. Blocks.
std::string read_owner(const std::string& folder);
/// Blocks. Errors: Code::io with a sentence for the operator.
Result<void> write_owner(const std::string& folder, const std::string& store);

/// Commits in the folder that their store has not got; 0 where there is no journal, or one that another
/// process uses. For a start without it. Blocks.
std::size_t pending_in(const std::string& folder);

}  // namespace stateway::store::outage
