#include "store/postgres/greeting.h"

#include <fmt/format.h>

#include <charconv>

#include "store/postgres/schema.h"
#include "store/postgres/statements.h"

namespace stateway::store::postgres {
namespace {

constexpr std::string_view kNoTable = "42P01", kNoSchema = "3F000", kNoFunction = "42883", kNoRight = "42501";

// `sync` waits for the server's disk, and for its synchronous standbys if it has any; `remote_apply`, if that
// is what the server does, is more. There is nothing between `local` and `off`: a commit is on the disk or
// may be lost with the process, so `os` is `local`.
std::string_view synchronous_commit(Durability durability) {
  switch (durability) {
    case Durability::sync:
      return "case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' "
             "end";
    case Durability::os:
      return "'local'";
    case Durability::memory:
      return "'off'";
  }
  return "'on'";
}

std::string settings(Durability durability, Duration timeout) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return fmt::format(
      "select set_config('search_path', 'pg_catalog', false),"
      " set_config('synchronous_commit', {0}, false),"
      " set_config('statement_timeout', '{1}', false), set_config('lock_timeout', '{1}', false),"
      " set_config('default_transaction_isolation', 'read committed', false),"
      " set_config('client_min_messages', 'error', false),"
      // A gateway that vanishes between two statements of a transaction must not keep its rows locked for
      // hours.
      " set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),"
      " set_config('tcp_keepalives_count', '3', false);"
      "select version from stateway.meta",
      synchronous_commit(durability), ms);
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Error operators(std::string context) {
  return {.code = Code::invalid_argument, .side = Side::store, .context = std::move(context)};
}

}  // namespace

Error error_of(const Refusal& refusal, const std::string& server) {
  if (refusal.state == kNoTable || refusal.state == kNoSchema || refusal.state == kNoFunction)
    return operators(
        fmt::format("{}: there is no schema of Stateway's: run stateway store migrate once", server));
  if (refusal.state == kNoRight)
    return operators(fmt::format("{}: {}: docs/guides/postgres.md says which rights the user needs", server,
                                 refusal.message));
  return {
      .code = Code::store_unavailable,
      .side = Side::store,
      .context = refusal.state.empty() ? refusal.message : fmt::format("{}: {}", server, refusal.message)};
}

io::Task<Result<Facts>> greet(Connection& connection, Durability durability, Duration timeout,
                              TimePoint deadline) {
  const std::string& server = connection.server();
  const std::string first = settings(durability, timeout);
  const Answer version = co_await connection.ask(first.c_str(), deadline);
  if (!version) co_return std::unexpected(error_of(version.error(), server));
  const std::int64_t found = version->count() == 1 ? number(version->text(0, 0)) : 0;
  if (found != schema_version())
    co_return std::unexpected(operators(
        found < schema_version()
            ? fmt::format(
                  "{}: its schema is of version {} and this Stateway needs {}: run stateway store migrate",
                  server, found, schema_version())
            : fmt::format("{}: its schema is of version {}, made by a later Stateway; this one needs {}",
                          server, found, schema_version())));
  const Answer hello = co_await connection.ask(
      "select epoch, records, ended, current_setting('fsync'), current_setting('synchronous_commit')"
      " from stateway.hello()",
      deadline);
  if (!hello) co_return std::unexpected(error_of(hello.error(), server));
  const Answer prepared = co_await connection.prepare(kStatements, deadline);
  if (!prepared) co_return std::unexpected(error_of(prepared.error(), server));
  Facts facts{.epoch = static_cast<std::uint64_t>(number(hello->text(0, 0))),
              .records = number(hello->text(0, 1)),
              .ended = number(hello->text(0, 2)),
              .durability = durability};
  if (hello->text(0, 4) == "off")
    facts.durability = Durability::memory;
  else if (hello->text(0, 3) == "off" && durability == Durability::sync)
    facts.durability = Durability::os;
  co_return facts;
}

}  // namespace stateway::store::postgres
