// A connection that is made again whenever it breaks, and what waits for it.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <string>

#include "base/random.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task_group.h"
#include "io/timer.h"
#include "store/postgres/connection.h"
#include "store/postgres/greeting.h"

namespace stateway::store::postgres {

/// One statement on its way to an answer, over as many connections as that takes.
struct Call final : Execution {
  Call(const Statement& s, Values v, TimePoint d) : Execution(s, std::move(v)), deadline(d) {}

  const TimePoint deadline;
  std::string rows;        // whose rows it locks; those of one transaction differ and are in order
  bool repeatable = true;  // may be sent again when nobody knows whether it was done
  bool alone = false;      // in a transaction of its own
  class Waiting* waiting = nullptr;
};

/// Told of what all of a store's links have in common. On the loops' threads.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void connected(const std::string& server, const Facts& facts) = 0;
  virtual void disconnected(const Error& why) = 0;
  virtual void settled(const Transaction& transaction) = 0;  // one that was applied
};

struct LinkOptions {
  Durability durability = Durability::sync;
  Duration timeout{};              // of a call
  std::size_t under_way_max = 1;   // transactions
  std::size_t together_max = 128;  // calls in one of them
};

/// Connects when the first call comes, and again, with growing pauses, for as long as it lives. Calls wait
/// for that until their deadlines. Not thread-safe: of one loop; not to be destroyed by a coroutine that it
/// resumes.
class Link {
 public:
  static constexpr Duration kPauseMin = 50ms;  // after a failed attempt; doubles
  static constexpr Duration kPauseMax = 1s;
  static constexpr std::size_t kTogetherBytesMax = 4u << 20;  // of the values in one transaction

  /// All must outlive the link.
  Link(io::Loop& loop, io::Network& network, const Target& target, LinkListener& listener,
       LinkOptions options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Sends the call at the end of the loop's turn, behind those before it.
  void submit(std::shared_ptr<Call> call);
  /// The same, waiting for the answer. A refusal without a state: there was none in time, or nobody knows.
  /// Destroying the waiter leaves the call as it is.
  Waiting ask(std::shared_ptr<Call> call);
  /// Why a call may have had no answer.
  std::string why_not() const;

 private:
  struct TurnEnd;

  io::Task<void> run();
  io::Task<Result<void>> begin();
  io::Task<Error> serve();
  void pump();
  TimePoint overdue() const;
  Transaction next_transaction();
  bool settle(Transaction transaction);
  void send_again(std::shared_ptr<Call> call);
  void give_up(Call& call, std::string why);
  static void finish(Call& call);
  void lose_connection(const Error& why);
  void drop_late_calls();

  io::Loop& loop_;
  io::Network& network_;
  const Target& target_;
  LinkListener& listener_;
  const LinkOptions options_;
  SystemRandom random_;
  std::deque<std::shared_ptr<Call>> queue_;
  std::shared_ptr<TurnEnd> turn_end_;
  std::unique_ptr<Connection> connection_;
  bool live_ = false;     // it is greeted
  bool broken_ = false;   // it refused what was sent
  bool served_ = false;   // it answered a transaction
  TimePoint heard_{};     // the last time that it said something
  std::string why_not_;   // there is no connection
  io::TaskGroup runner_;  // goes first
};

class [[nodiscard]] Waiting final : private io::Timer {
 public:
  Waiting(Link& link, io::Loop& loop, std::shared_ptr<Call> call)
      : Timer(loop.timers()), link_(link), call_(std::move(call)) {}
  ~Waiting() override;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h);
  Answer await_resume() { return std::move(answer_); }

 private:
  friend class Link;
  void on_timer() override;
  void resume(Answer answer);

  Link& link_;
  std::shared_ptr<Call> call_;
  std::coroutine_handle<> waiting_;
  Answer answer_ = std::unexpected(Refusal{});
};

}  // namespace stateway::store::postgres
