// What is told of keys, by the admin API and where no gateway runs.
#pragma once

#include <chrono>

#include "admin/json_writer.h"
#include "session/key_set.h"

namespace stateway::admin {

/// The member "keys": what each of them does at `now`, oldest first, where sessions live for `lifetime` at
/// most; never the keys themselves.
void add_keys(JsonWriter& json, const session::KeySet& keys, WallMillis now,
              std::chrono::milliseconds lifetime);
/// The members "added", "dropped" and "keys".
void add_rotation(JsonWriter& json, const session::Rotation& rotation, WallMillis now,
                  std::chrono::milliseconds lifetime);

}  // namespace stateway::admin
