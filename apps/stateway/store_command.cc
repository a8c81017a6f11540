#include "stateway/store_command.h"

#include <fmt/format.h>

#include "config/config.h"
#include "store/postgres/schema.h"

namespace stateway {

int migrate_store(const Command& command, std::FILE* out, std::FILE* err) {
  const auto config = config::load(command.config_path);
  if (!config) {
    for (const config::Problem& problem : config.error()) fmt::print(err, "{}\n", to_string(problem));
    return kExitBadUsage;
  }
  if (config->store.kind != store::Kind::postgres) {
    fmt::print(err, "stateway: {} keeps sessions in no PostgreSQL: only kind = \"postgres\" has a schema\n",
               command.config_path);
    return kExitBadUsage;
  }
  const auto migrated = store::postgres::migrate(config->store);
  if (!migrated) {
    fmt::print(err, "stateway: {}\n", migrated.error().context);
    return migrated.error().code == Code::invalid_argument ? kExitBadUsage : kExitFailed;
  }
  const auto& [from, to, database] = *migrated;
  if (from == to)
    fmt::print(out, "the schema in {} is of version {} already\n", database, to);
  else if (from == 0)
    fmt::print(out, "the schema in {} is of version {} now; there was none\n", database, to);
  else
    fmt::print(out, "the schema in {} is of version {} now; it was of version {}\n", database, to, from);
  return kExitDone;
}

}  // namespace stateway
