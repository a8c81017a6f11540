// The tables and functions of the store inside of PostgreSQL: schema `stateway` of the URL's database, made
// and brought up to date by `stateway store migrate`. What is in them: docs/formats/postgres.md.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "store/options.h"

namespace stateway::store::postgres {

/// SQL scripts; the one at [n] makes version n + 1 of version n.
std::span<const char* const> migrations();
/// The version that this program works with.
int schema_version();

struct Migrated {
  int from = 0;  // 0: there was none
  int to = 0;
  std::string database;  // "db.example:5432/shop"
};

/// Brings the schema to the last of `steps`, in one transaction that others wait for, and counts the records
/// anew. Nothing is changed when it fails, or when it is of that version already. Blocks. Errors, with a
/// sentence for the operator: invalid_argument (URL, password, rights, a schema of a later version),
/// store_unavailable.
Result<Migrated> migrate(const StoreOptions& options, std::span<const char* const> steps = migrations());

}  // namespace stateway::store::postgres
