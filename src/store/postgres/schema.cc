#include "store/postgres/schema.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "store/postgres/connection.h"
#include "store/postgres/greeting.h"
#include "store/postgres/one_task.h"

namespace stateway::store::postgres {
namespace {

// Any number nobody else uses: "Stateway" in ASCII.
constexpr std::int64_t kLock = 0x5374617465776179;
constexpr Duration kPatience = std::chrono::minutes(30);  // an index on a large table takes its time

io::Task<Result<int>> version_of(Connection& connection, TimePoint deadline) {
  const Answer there = co_await connection.ask("select to_regclass('stateway.meta')", deadline);
  if (!there) co_return std::unexpected(error_of(there.error(), connection.server()));
  if (there->text(0, 0).empty()) co_return 0;
  const Answer version = co_await connection.ask("select version from stateway.meta", deadline);
  if (!version) co_return std::unexpected(error_of(version.error(), connection.server()));
  co_return static_cast<int>(version->count() == 0 ? 0 : parse_decimal(version->text(0, 0)).value_or(0));
}

io::Task<Result<Migrated>> bring_up(io::Loop& loop, io::Network& network, const Target& target,
                                    const StoreOptions& options, std::span<const char* const> steps) {
  auto opened = co_await Connection::open(loop, network, target, options.timeout);
  if (!opened) co_return pass_on(std::move(opened));
  Connection& connection = **opened;
  const TimePoint deadline = loop.now() + kPatience;
  const auto must = [&](const std::string& sql) { return connection.ask(sql.c_str(), deadline); };
  // Not only schema `stateway`: to_regclass and the steps name it, and nothing else of the role's must
  // matter.
  const std::string begin = fmt::format(
      "begin; set local search_path = pg_catalog; set local statement_timeout = 0;"
      "set local client_min_messages = error; select pg_advisory_xact_lock({})",
      kLock);
  const Answer locked = co_await must(begin);
  if (!locked) co_return std::unexpected(error_of(locked.error(), connection.server()));
  const auto found = co_await version_of(connection, deadline);
  if (!found) co_return std::unexpected(found.error());
  const int last = static_cast<int>(steps.size());
  if (*found > last)
    co_return fail(Code::invalid_argument, Side::store,
                   fmt::format("{}: its schema is of version {}, made by a later Stateway; this one knows {}",
                               connection.server(), *found, last));
  for (int version = *found; version < last; ++version) {
    const std::string step = fmt::format("{};update stateway.meta set version = {}",
                                         steps[static_cast<std::size_t>(version)], version + 1);
    const Answer made = co_await must(step);
    if (!made)
      co_return fail(Code::invalid_argument, Side::store,
                     fmt::format("{}: version {} of the schema cannot be made: {}", connection.server(),
                                 version + 1, made.error().message));
  }
  const Answer done = co_await must("commit");
  if (!done) co_return std::unexpected(error_of(done.error(), connection.server()));
  co_return Migrated{.from = *found, .to = last, .database = connection.server()};
}

}  // namespace

Result<Migrated> migrate(const StoreOptions& options, std::span<const char* const> steps) {
  const auto target = parse_target(options);
  if (!target) return std::unexpected(target.error());
  OneTask<Migrated> once;
  return once.run(
      [&](io::Loop& loop, io::Network& network) { return bring_up(loop, network, *target, options, steps); });
}

}  // namespace stateway::store::postgres
