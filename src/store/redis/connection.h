// One connection to a server, shared by everything on its loop: commands go out together at the end of the
// loop's turn, and replies come back in their order.
#pragma once

#include <coroutine>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "io/loop.h"
#include "io/task_group.h"
#include "io/wait_queue.h"
#include "store/redis/dialer.h"
#include "store/redis/facts.h"
#include "store/redis/reply.h"

namespace stateway::store::redis {

struct ConnectionOptions {
  std::string user;  // empty: the default user
  Secret password;   // empty: none
  unsigned database = 0;
  Duration timeout = 2s;  // to connect and greet
  /// The connection ends when commands are unanswered and nothing at all comes for this long. Shorter than a
  /// command's deadline, so that there is time to repeat it elsewhere.
  Duration silence = 1s;
  /// Commands that were not sent wait for the next connection. Otherwise they fail (closed, Retry::always)
  /// whenever one ends, or an attempt at one: where another server may have their keys by then.
  bool patient = true;
};

/// Whether a server may be used, asked whenever a connection to it begins.
class ServerCheck {
 public:
  virtual ~ServerCheck() = default;
  /// Errors: as check_master.
  virtual Result<void> check(const ServerFacts& facts) = 0;
};

/// Connects when the first command comes, and again, with a growing pause between attempts, while commands
/// wait. Not thread-safe: of one loop. Must outlive its calls, and not be destroyed by a coroutine that it
/// resumes.
class Connection {
 public:
  static constexpr Duration kPauseMin = 50ms;  // after a failed attempt; doubles
  static constexpr Duration kPauseMax = 1s;

  /// All must outlive the connection.
  Connection(io::Loop& loop, Dialer& dialer, ConnectionOptions options, ServerCheck& check, Random& random);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  class Call;
  /// Sends `command` (format_command; or `replies` of them in one piece) and gives the last one's reply,
  /// which may be an error of the server's. While there is no connection, it waits for one. Errors: timeout:
  /// not answered until `deadline`; closed: the connection broke. Retry::always: it was not sent; otherwise
  /// it may have been done. The waiting coroutine may be destroyed.
  Call call(std::string command, TimePoint deadline, unsigned replies = 1);

  /// Connects if it is not connected: one attempt, or the one that is under way, and why it failed. Errors:
  /// invalid_argument, store_unavailable, each with a sentence for the operator that names the server;
  /// timeout.
  io::Task<Result<ServerFacts>> ready(TimePoint deadline);

  /// Gives the present connection up, if there is one; the next is dialed anew.
  void reset(std::string why);

  /// Of the server of the last connection.
  const ServerFacts& facts() const { return facts_; }
  bool connected() const { return live_; }

 private:
  struct Slot {
    std::string command;  // until it is sent
    unsigned replies;
    std::vector<Reply> earlier;  // of several commands, those that have come
    Call* call;                  // nullptr: nobody waits any more
  };
  using Slots = std::list<Slot>;
  struct Flush;
  struct Silence;

  io::Task<void> run();
  io::Task<Result<void>> begin();
  io::Task<Result<Reply>> next_reply(TimePoint deadline);
  io::Task<std::string> read_replies();
  void deliver(Reply reply);
  void end(std::string why);
  void attempt_failed(Error error);
  void flush();
  io::Task<void> write_out();

  io::Loop& loop_;
  Dialer& dialer_;
  const ConnectionOptions options_;
  ServerCheck& check_;
  Random& random_;

  std::shared_ptr<Flush> flush_;
  std::unique_ptr<Silence> silence_;
  io::WaitQueue demand_;    // run(), while nobody wants anything
  io::WaitQueue attempts_;  // ready()
  bool wanted_ = false;     // by ready()

  Slots unsent_;
  Slots sent_;  // in the order of their replies
  std::unique_ptr<io::Stream> stream_;
  std::optional<ReplyReader> reader_;
  bool live_ = false;      // stream_ is greeted
  bool answered_ = false;  // a command on it
  bool writing_ = false;
  std::string out_;
  std::string broke_;  // why we gave the present connection up
  ServerFacts facts_;

  Error failed_;           // the last attempt
  unsigned failures_ = 0;  // attempts in a row, until a command is answered
  TimePoint next_attempt_{};
  bool told_ = false;  // the log, of the failure
  std::string read_buffer_;
  io::TaskGroup writer_;
  io::TaskGroup runner_;  // goes first
};

/// Awaited at once, by one coroutine: `co_await connection.call(…)`.
class [[nodiscard]] Connection::Call final : private io::Timer {
 public:
  Call(Connection& connection, std::string command, TimePoint deadline, unsigned replies);
  ~Call() override;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h);
  Result<Reply> await_resume() { return std::move(result_); }

 private:
  friend class Connection;
  enum class Where : std::uint8_t { nowhere, unsent, sent };

  void on_timer() override;
  void finish(Result<Reply> result);
  void leave();

  Connection& connection_;
  std::string command_;
  TimePoint deadline_;
  unsigned replies_;
  Where where_ = Where::nowhere;
  Slots::iterator slot_;
  std::coroutine_handle<> waiting_;
  Result<Reply> result_;
};

inline Connection::Call Connection::call(std::string command, TimePoint deadline, unsigned replies) {
  return Call(*this, std::move(command), deadline, replies);
}

}  // namespace stateway::store::redis
