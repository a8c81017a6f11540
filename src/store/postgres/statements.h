// The statements that serve: all that connections prepare. Their functions are in schema_sql.cc.
#pragma once

#include "store/postgres/wire.h"

namespace stateway::store::postgres {

inline constexpr Statement kLoad{"load",
                                 "select revision, state, expires_at, principal, value, gateways, sequences"
                                 " from stateway.sessions where key = $1 and expires_at > $2"};

// Bounds as the index has them: after $1, from $2, before $3.
inline constexpr Statement kList{
    "list",
    "select revision, state, expires_at, principal, value, gateways, sequences, key"
    " from stateway.sessions where key > $1 and key >= $2 and key < $3 and expires_at > $4"
    " order by key limit $5"};
inline constexpr Statement kListOfPrincipal{
    "list_of_principal",
    "select revision, state, expires_at, principal, value, gateways, sequences, key"
    " from stateway.sessions where principal = $6 and principal <> ''"
    " and key > $1 and key >= $2 and key < $3 and expires_at > $4 order by key limit $5"};

inline constexpr Statement kCommitOne{
    "commit_one", "select * from stateway.commit_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
inline constexpr Statement kCommitAll{"commit_all",
                                      "select * from stateway.commit_all($1, $2, $3, $4, $5, $6, $7, $8, $9,"
                                      " $10, $11, $12, $13, $14, $15, $16)"};
inline constexpr Statement kTouch{"touch", "select stateway.touch($1, $2, $3)"};
inline constexpr Statement kSweep{"sweep", "select * from stateway.sweep($1, $2)"};
inline constexpr Statement kTakeLease{"take_lease", "select stateway.take_lease($1, $2)"};
inline constexpr Statement kExtendLease{"extend_lease", "select stateway.extend_lease($1, $2, $3)"};
inline constexpr Statement kGiveBackLease{"give_back_lease", "select stateway.give_back_lease($1, $2)"};

inline constexpr Statement kStatements[] = {kLoad,  kList,  kListOfPrincipal, kCommitOne,   kCommitAll,
                                            kTouch, kSweep, kTakeLease,       kExtendLease, kGiveBackLease};

}  // namespace stateway::store::postgres
