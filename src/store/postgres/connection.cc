#include "store/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace stateway::store::postgres {
namespace {

using For = io::BorrowedDescriptor::For;

// Otherwise libpq writes them to standard error.
void ignore_notice(void*, const PGresult*) {}

bool operators_fault(const Refusal& refusal, PGconn* connection) {
  constexpr std::string_view kClasses[] = {"28", "3D", "42", "22"};  // authorization, no database, rights
  return PQconnectionNeedsPassword(connection) != 0 ||
         std::ranges::any_of(kClasses, [&](std::string_view c) { return refusal.of_class(c); });
}

std::string shown_name(const Target& target, const Target::Server& server) {
  return target.database.empty() ? server.name() : fmt::format("{}/{}", server.name(), target.database);
}

/// The servers of `server`'s name, each with its IP address, which spares libpq a look-up that would block.
io::Task<Result<std::vector<Target::Server>>> looked_up(io::Network& network, Target::Server server,
                                                        TimePoint deadline) {
  std::vector<Target::Server> out;
  if (!server.address.empty() || server.host.empty() || server.host.starts_with('/')) {
    out.push_back(std::move(server));
    co_return out;
  }
  const auto found = co_await network.resolve({.host = to_lower(server.host), .port = server.port}, deadline);
  if (!found)
    co_return fail(Code::store_unavailable, Side::store,
                   fmt::format("{}: {}", server.name(), found.error().context));
  for (const Address& address : *found) {
    out.push_back(server);
    out.back().address = address.host;
  }
  co_return out;
}

}  // namespace

void Connection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(io::Loop& loop, pg_conn* connection, std::string server)
    : server_(std::move(server)), descriptor_(loop), connection_(connection) {}

Connection::~Connection() = default;

io::Task<Result<std::unique_ptr<Connection>>> Connection::open(io::Loop& loop, io::Network& network,
                                                               const Target& target, Duration patience) {
  Result<std::unique_ptr<Connection>> last = fail(Code::internal);  // there is at least one server
  for (const Target::Server& named : target.servers) {
    auto servers = co_await looked_up(network, named, loop.now() + patience);
    if (!servers) last = pass_on(std::move(servers));
    if (!servers) continue;
    for (const Target::Server& server : *servers) {
      last = co_await open_at(loop, target, server, loop.now() + patience);
      if (last) co_return last;
    }
  }
  co_return last;
}

io::Task<Result<std::unique_ptr<Connection>>> Connection::open_at(io::Loop& loop, const Target& target,
                                                                  Target::Server server, TimePoint deadline) {
  const std::string port = std::to_string(server.port);
  std::vector<std::string> held;  // libpq wants NULs
  std::vector<const char*> keywords, values;
  held.reserve(target.settings.size());
  for (const auto& [keyword, value] : target.settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(held.emplace_back(value.reveal()).c_str());
  }
  const auto add = [&](const char* keyword, const std::string& value) {
    if (value.empty()) return;
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  add("host", server.host);
  add("hostaddr", server.address);
  add("port", port);
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const started = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (started == nullptr) co_return fail(Code::store_unavailable, Side::self, "no memory for a connection");
  std::unique_ptr<Connection> connection(new Connection(loop, started, shown_name(target, server)));
  auto connected = co_await connection->connect(deadline);
  if (!connected) co_return pass_on(std::move(connected));
  co_return connection;
}

io::Task<Result<void>> Connection::connect(TimePoint deadline) {
  PGconn* const c = connection_.get();
  PQsetErrorVerbosity(c, PQERRORS_VERBOSE);  // with the server's code
  PQsetNoticeReceiver(c, ignore_notice, nullptr);
  PostgresPollingStatusType polled = PGRES_POLLING_WRITING;
  if (PQstatus(c) == CONNECTION_BAD) polled = PGRES_POLLING_FAILED;
  while (polled == PGRES_POLLING_WRITING || polled == PGRES_POLLING_READING) {
    // Each step may have replaced the socket.
    const auto ready = co_await descriptor_.ready(
        PQsocket(c), polled == PGRES_POLLING_READING ? For::reading : For::writing, deadline);
    if (!ready && ready.error().code == Code::timeout)
      co_return fail(Code::store_unavailable, Side::store, fmt::format("{}: no answer in time", server_));
    if (!ready) co_return ready;
    polled = PQconnectPoll(c);
  }
  if (polled != PGRES_POLLING_OK) {
    const Refusal refusal = refusal_of(PQerrorMessage(c));
    co_return fail(operators_fault(refusal, c) ? Code::invalid_argument : Code::store_unavailable,
                   Side::store, fmt::format("{}: {}", server_, refusal.message));
  }
  PQsetErrorVerbosity(c, PQERRORS_TERSE);
  PQsetnonblocking(c, 1);
  co_return Result<void>{};
}

Error Connection::failure() const {
  return {.code = Code::closed,
          .side = Side::store,
          .context = fmt::format("{}: {}", server_, refusal_of(PQerrorMessage(connection_.get())).message)};
}

bool Connection::flush() {
  const int left = PQflush(connection_.get());
  unflushed_ = left > 0;
  return left >= 0;
}

bool Connection::take_in() {
  PGconn* const c = connection_.get();
  if (PQconsumeInput(c) == 0) return false;
  // What TLS has decrypted and libpq had no room for makes no socket readable.
  auto* const tls = static_cast<SSL*>(PQsslStruct(c, "OpenSSL"));
  while (tls != nullptr && PQstatus(c) == CONNECTION_OK && SSL_pending(tls) > 0)
    if (PQconsumeInput(c) == 0) return false;
  return true;
}

io::Task<Result<void>> Connection::activity(TimePoint deadline) {
  const auto ready = co_await descriptor_.ready(PQsocket(connection_.get()),
                                                unflushed_ ? For::either : For::reading, deadline);
  if (!ready) co_return ready;
  // Twice: reading may have made room for the server to read on.
  if (!flush() || !take_in() || !flush() || PQstatus(connection_.get()) == CONNECTION_BAD)
    co_return std::unexpected(failure());
  co_return Result<void>{};
}

io::Task<Answer> Connection::ask(const char* sql, TimePoint deadline) {
  PGconn* const c = connection_.get();
  Answer answer;
  if (PQsendQuery(c, sql) == 0 || !flush()) co_return std::unexpected(Refusal{{}, failure().context});
  for (;;) {
    while (PQisBusy(c) == 0) {
      PGresult* const result = PQgetResult(c);
      if (result == nullptr) co_return answer;
      Answer next = answer_of(result);
      if (answer) answer = std::move(next);
    }
    const auto active = co_await activity(deadline);
    if (!active) co_return std::unexpected(Refusal{{}, active.error().context});
  }
}

io::Task<Answer> Connection::prepare(std::span<const Statement> statements, TimePoint deadline) {
  PGconn* const c = connection_.get();
  bool sent = PQenterPipelineMode(c) != 0;
  for (const Statement& statement : statements)
    sent = sent && PQsendPrepare(c, statement.name, statement.sql, 0, nullptr) != 0;
  if (!sent || PQpipelineSync(c) == 0 || !flush()) co_return std::unexpected(Refusal{{}, failure().context});
  Answer answer;
  for (;;) {
    while (PQisBusy(c) == 0) {
      PGresult* const result = PQgetResult(c);
      if (result == nullptr) continue;  // between two statements
      if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        co_return answer;
      }
      Answer next = answer_of(result);
      if (answer && !next) answer = std::move(next);
    }
    const auto active = co_await activity(deadline);
    if (!active) co_return std::unexpected(Refusal{{}, active.error().context});
  }
}

bool Connection::send(Transaction transaction) {
  PGconn* const c = connection_.get();
  constexpr std::size_t kParametersMax = 16;
  bool sent = true;
  for (const auto& execution : transaction.executions) {
    const auto& encoded = execution->values.encoded();
    CHECK(encoded.size() <= kParametersMax);
    const char* values[kParametersMax];
    int lengths[kParametersMax];
    int formats[kParametersMax];
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      values[i] = encoded[i].data();
      lengths[i] = static_cast<int>(encoded[i].size());
      formats[i] = 1;
    }
    sent = sent && PQsendQueryPrepared(c, execution->statement.name, static_cast<int>(encoded.size()), values,
                                       lengths, formats, 1) != 0;
  }
  under_way_.push_back(std::move(transaction));
  if (!sent || PQpipelineSync(c) == 0 || !flush()) return false;
  if (unflushed_) descriptor_.also_for_writing();
  return true;
}

std::vector<Transaction> Connection::take_answered() {
  PGconn* const c = connection_.get();
  std::vector<Transaction> out;
  while (!under_way_.empty() && PQisBusy(c) == 0) {
    Transaction& first = under_way_.front();
    PGresult* const result = PQgetResult(c);
    if (result == nullptr) {
      if (PQstatus(c) == CONNECTION_BAD) break;
      continue;  // between two statements
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      first.applied =
          std::ranges::all_of(first.executions, [](const auto& e) { return e->answer.has_value(); });
      out.push_back(std::move(first));
      under_way_.pop_front();
      answered_ = 0;
      continue;
    }
    Answer answer = answer_of(result);
    if (PQstatus(c) == CONNECTION_BAD) break;
    // One more than there are statements: the commit itself failed, and with it the last of them.
    const std::size_t which = std::min(answered_++, first.executions.size() - 1);
    first.executions[which]->answer = std::move(answer);
  }
  return out;
}

}  // namespace stateway::store::postgres
