// How RocksDB is set up: bounded memory, one writer, nothing that heals or hides a failed write.
// Includes RocksDB: for database.cc and database_options.cc only.
#pragma once

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "store/options.h"

namespace stateway::store {

rocksdb::DBOptions database_options(Durability durability, rocksdb::Env* env);

/// The column families in the order of Database::Handles: default, records, expiry, principals.
std::vector<rocksdb::ColumnFamilyDescriptor> column_families();

}  // namespace stateway::store
