// A simulated client: a browser's cookie, several connections at once, little patience and bad manners.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/sim/network.h"
#include "io/task_group.h"
#include "oracle.h"
#include "wire/reader.h"

namespace stateway::sim {

/// Every answer has come, or the connection ended, within this time: longer than all time-outs of the
/// soak's configuration one after the other. Otherwise the exchange hangs.
inline constexpr Duration kAnswerWithin = 300s;

class Shopper {
 public:
  /// `doors`: the gateways' addresses. All must outlive the shopper.
  /// `alone`: it never has two requests under way, but for those it was tired of.
  Shopper(io::SimLoop& loop, io::SimHost& host, std::vector<Address> doors, std::string name, Random& random,
          Oracle& oracle, bool alone);
  ~Shopper();

  /// Sends at least so many requests, some of them side by side, and waits for every answer.
  io::Task<void> run(unsigned exchanges);
  /// Reads its session without faults around: everything acknowledged must be there.
  io::Task<void> look_again();
  /// What its browser holds in the end is where the oracle finds its session, if the store has none.
  void show_cookie();

  std::uint64_t sent() const { return sent_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  enum class Kind : unsigned char { begin, add, count, read, renew, end, plain };
  struct Order;
  struct Answer;
  struct Wire;
  struct Way;

  Order order(Kind kind);
  Kind draw_kind();
  io::Task<void> begin();
  io::Task<void> side_by_side(unsigned count);
  io::Task<void> send_some(unsigned count);
  io::Task<std::unique_ptr<Wire>> wire();
  io::Task<bool> write(io::Stream& stream, std::string_view octets);
  io::Task<bool> read(Wire& wire, Order& order, Answer& answer);
  io::Task<bool> read_head(Wire& wire, Order& order, Answer& answer);
  std::string text_of(const Order& order, bool last);
  void take_cookie(const Order& order, const Answer& answer);
  void settle(Order& order, const Answer& answer);
  void settle_unanswered(const Order& order, bool sent);
  void settle_success(Order& order, const Answer& answer);
  void settle_problem(Order& order, const Answer& answer);
  void check_owner(const Order& order, const Answer& answer);
  void check_document(const Order& order, const Answer& answer);
  bool durable(const Order& order, const Answer& answer);

  io::SimLoop& loop_;
  io::SimHost& host_;
  const std::vector<Address> doors_;
  const std::string name_;
  Random& random_;
  Oracle& oracle_;
  std::string owner_;   // of the present session; empty: none
  std::string cookie_;  // its value
  bool lost_ = false;   // the service knows nothing of it any more
  const bool alone_;
  bool calm_ = false;    // it was read again when all was calm
  unsigned logins_ = 0;  // of the present session, answered
  unsigned numbers_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::vector<std::unique_ptr<Wire>> idle_;
};

}  // namespace stateway::sim
