// What the server does in one step: Lua, by EVALSHA.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/redis/router.h"

namespace stateway::store::redis {

struct Script {
  explicit Script(std::string_view lua);
  std::string_view source;
  std::string name;  // its SHA-1, in hexadecimal
};

/// Checks a batch and writes it. Keys: the records', then, with a lease, that of it. Arguments: now; how many
/// records there may be more that are not ended; the commit's gateway and sequence ("0": none); the lease's
/// token
/// ("0": none); "1" if all index entries that the batch may need have been written; then of each write the
/// expected revision, and
/// "" for an erase or the new revision, then state, expiry, milliseconds until it may be thrown away,
/// principal, value, applied ("" of an erase). Result: a word, and for OK the state each record had before
/// ("": there was none):
///   OK | REPEAT it was applied before | CONFLICT | LEASE it is not held | FULL | INDEX write index entries
///   first
const Script& commit_script();
/// Keys: a record's. Arguments: now, the later expiry, milliseconds until it may be thrown away.
const Script& touch_script();
/// Removes a record that has expired. Keys: a record's. Arguments: now. Result: [expiry, principal] of one
/// that has not; [] there is none; ["", principal] it is removed.
const Script& expire_script();
/// Keys: an index. Arguments: now, the expiry, the member. Nothing gets a later time that has not expired
/// yet.
const Script& index_script();
/// Removes an entry that has expired. Keys: an index. Arguments: now, the member.
const Script& unindex_script();
/// Keys: a lease's. Arguments: the token, its time in milliseconds. Result: 1: it is ours.
const Script& take_script();
const Script& extend_script();
/// Keys: a lease's. Arguments: the token.
const Script& give_back_script();

/// EVALSHA, or EVAL where the server does not know the script yet. `keys` have one slot. As Router::ask.
io::Task<Result<Answer>> run_script(Router& router, const Script& script, std::vector<std::string> keys,
                                    std::vector<std::string> arguments, TimePoint deadline,
                                    bool repeatable = true);

/// One command: `words` are its name and what follows the key. As Router::ask, and repeatable.
io::Task<Result<Answer>> run_command(Router& router, std::string key, std::vector<std::string> words,
                                     TimePoint deadline);

/// Runs all at the same time; their results in order.
io::Task<std::vector<Result<Answer>>> gather(std::vector<io::Task<Result<Answer>>> tasks);

/// An error of the server's is one of ours.
Result<Answer> no_error(Result<Answer> answer);

}  // namespace stateway::store::redis
