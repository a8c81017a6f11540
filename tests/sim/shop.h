// A simulated instance: keeps nothing but documents the gateway knows, answers with patches, and misbehaves
// as its plan says.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>

#include "io/sim/network.h"
#include "io/task_group.h"
#include "memory.h"
#include "oracle.h"
#include "plan.h"
#include "wire/reader.h"

namespace stateway::sim {

// POST /cart/begin/OWNER   a new document with its owner; nothing if there is one already
// POST /cart/add/ITEM      the item into the list, or among the members, by header or by session URL
// POST /again/count/ID     the next number (the route re-executes: every increment counts)
// GET  /cart/read/ID       the document
// POST /cart/renew/ID, /cart/end/ID
// POST /plain/ID           no session
// Each answer says X-Owner: of the document it was given, "-" if it has none; X-N where it counted.
class Shop {
 public:
  /// All must outlive the shop. Starts at once.
  Shop(io::SimLoop& loop, io::SimHost& host, Address at, std::string name, Random& random,
       const ShopFaults& faults, Holding holding, Oracle& oracle);

  /// The process dies: the system closes what it had open.
  void kill();
  void start();
  bool running() const { return acceptor_ != nullptr; }

 private:
  struct Order;
  struct Answer;
  io::Task<void> accept();
  io::Task<void> serve(std::unique_ptr<io::Stream> stream);
  io::Task<bool> serve_one(io::Stream& stream, wire::Reader& reader);
  io::Task<bool> read_body(wire::Reader& reader);
  io::Task<Answer> decide(Order& order);
  void hold(const Order& order, Answer& answer, std::uint64_t version, std::string document);
  std::string addition(const Order& order);
  io::Task<void> patch(const Order& order, Answer& answer, std::string patch);
  io::Task<bool> by_url(const Order& order, std::string_view method, std::string body, std::string& out);
  io::Task<bool> send(io::Stream& stream, const Answer& answer);
  bool luck(double rate) { return io::happens(random_, rate); }

  io::SimLoop& loop_;
  io::SimHost& host_;
  const Address at_;
  const std::string name_;
  Random& random_;
  const ShopFaults& faults_;
  Oracle& oracle_;
  const Holding holding_;
  unsigned life_ = 0;  // how often it was started
  std::optional<Memory> memory_;
  std::unique_ptr<io::Acceptor> acceptor_;
  std::unique_ptr<io::TaskGroup> tasks_;
};

}  // namespace stateway::sim
