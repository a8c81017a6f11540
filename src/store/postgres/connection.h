// One connection of libpq on one loop: connects without blocking, then has many statements under way whose
// results come back in their order (libpq's pipeline mode).
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/borrowed_descriptor.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "store/postgres/target.h"
#include "store/postgres/wire.h"

struct pg_conn;

namespace stateway::store::postgres {

/// One execution of a statement.
struct Execution {
  Execution(const Statement& s, Values v) : statement(s), values(std::move(v)) {}
  virtual ~Execution() = default;
  const Statement& statement;
  const Values values;
  Answer answer = std::unexpected(Refusal{});
};

/// Executions that are one transaction: applied all or none, and that only once the last of them is answered.
struct Transaction {
  std::vector<std::shared_ptr<Execution>> executions;
  TimePoint sent_at{};
  bool applied = false;  // set with the answers; if not, one of these is a refusal
};

/// Not thread-safe: of one loop. Everything that waits ends with its deadline.
class Connection {
 public:
  /// Connects to the first of the target's servers that is there and takes writes; each has `patience`.
  /// Errors, of the last one, with a sentence that names it: invalid_argument for what the operator must fix
  /// (password, no such user or database), store_unavailable.
  static io::Task<Result<std::unique_ptr<Connection>>> open(io::Loop& loop, io::Network& network,
                                                            const Target& target, Duration patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs SQL statements as one transaction and gives the last one's rows, as text. Not after `prepare`.
  io::Task<Answer> ask(const char* sql, TimePoint deadline);
  /// Prepares what `send` may execute. Afterwards the connection is a pipeline.
  io::Task<Answer> prepare(std::span<const Statement> statements, TimePoint deadline);

  /// Sends a transaction behind those under way. It is answered even if the connection breaks. false: broken.
  bool send(Transaction transaction);
  /// Waits until the server says something and takes it in. Errors: timeout; closed, with the reason.
  io::Task<Result<void>> activity(TimePoint deadline);
  /// Gives `activity` under way another deadline.
  void move_deadline(TimePoint deadline) { descriptor_.move_deadline(deadline); }
  /// The transactions that are answered, in the order they were sent.
  std::vector<Transaction> take_answered();
  /// Those that are not.
  std::deque<Transaction>& under_way() { return under_way_; }
  const std::string& server() const { return server_; }  // "db.example:5432/shop"

 private:
  Connection(io::Loop& loop, pg_conn* connection, std::string server);
  struct Finish {
    void operator()(pg_conn* connection) const;
  };

  static io::Task<Result<std::unique_ptr<Connection>>> open_at(io::Loop& loop, const Target& target,
                                                               Target::Server server, TimePoint deadline);
  io::Task<Result<void>> connect(TimePoint deadline);
  Error failure() const;
  bool flush();
  bool take_in();

  std::string server_;
  io::BorrowedDescriptor descriptor_;
  std::unique_ptr<pg_conn, Finish> connection_;
  bool unflushed_ = false;
  std::deque<Transaction> under_way_;
  std::size_t answered_ = 0;  // executions of the first of these
};

}  // namespace stateway::store::postgres
