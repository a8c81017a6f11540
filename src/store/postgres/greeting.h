// What a new connection is told and asked before it serves: settings, the schema's version, who answers.
#pragma once

#include <cstdint>

#include "store/options.h"
#include "store/postgres/connection.h"

namespace stateway::store::postgres {

struct Facts {
  std::uint64_t epoch = 0;  // another one: another server, or one that lost what it had not written yet
  std::int64_t records = 0;
  std::int64_t ended = 0;
  Durability durability = Durability::sync;  // what a commit there survives, at most what was asked for
};

/// Makes the connection one that `statements` (statements.h) can be sent to, each limited to `timeout`.
/// Errors, with a sentence that names the server: invalid_argument when there is no schema, or one of another
/// version, or no right to use it; store_unavailable.
io::Task<Result<Facts>> greet(Connection& connection, Durability durability, Duration timeout,
                              TimePoint deadline);

/// An Error for what the server refused, or did not answer.
Error error_of(const Refusal& refusal, const std::string& server);

}  // namespace stateway::store::postgres
