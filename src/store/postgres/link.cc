#include "store/postgres/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stateway::store::postgres {
namespace {

// Two transactions in each other's way, or one that waited too long for a row: nothing is wrong with them.
bool is_passing(const Refusal& refusal) {
  return refusal.state == "40001" || refusal.state == "40P01" || refusal.state == "55P03";
}

// Raised by commit_all, which then has to be alone to see who was faster.
constexpr std::string_view kRace = "SW001";

// It has become a standby, or is being stopped: another one is to be asked, or the same one later.
bool ends_connection(const Refusal& refusal) {
  return refusal.state == "25006" || refusal.of_class("57P") || refusal.of_class("08");
}

}  // namespace

struct Link::TurnEnd final : io::TurnEnd {
  explicit TurnEnd(Link& l) : link(&l) {}
  void on_turn_end() override {
    if (link != nullptr) link->pump();
  }
  Link* link;
};

Link::Link(io::Loop& loop, io::Network& network, const Target& target, LinkListener& listener,
           LinkOptions options)
    : loop_(loop),
      network_(network),
      target_(target),
      listener_(listener),
      options_(options),
      turn_end_(std::make_shared<TurnEnd>(*this)) {}

Link::~Link() {
  turn_end_->link = nullptr;
  runner_.cancel_all();
}

void Link::submit(std::shared_ptr<Call> call) {
  queue_.push_back(std::move(call));
  loop_.at_turn_end(turn_end_);
  if (runner_.running() == 0) runner_.spawn(run());
}

Waiting Link::ask(std::shared_ptr<Call> call) { return Waiting(*this, loop_, std::move(call)); }

std::string Link::why_not() const {
  if (connection_ && live_) return fmt::format("{}: no answer in time", connection_->server());
  return why_not_.empty() ? "no connection in time" : why_not_;
}

io::Task<void> Link::run() {
  Duration pause{};
  for (;;) {
    const auto begun = co_await begin();
    Error why;
    if (begun) {
      pump();
      why = co_await serve();
    } else {
      why = begun.error();
    }
    lose_connection(why);
    listener_.disconnected(why);
    if (served_) pause = Duration{};
    if (std::exchange(served_, false)) continue;
    pause = std::clamp(pause * 2, kPauseMin, kPauseMax);
    // Not all gateways at the same moment.
    const auto ms = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(pause).count());
    co_await io::sleep_for(loop_, std::chrono::milliseconds(ms / 2 + random_.below(ms / 2 + 1)));
    drop_late_calls();
  }
}

// Half of a call's time, so that there is some left for another server or another attempt.
io::Task<Result<void>> Link::begin() {
  auto opened = co_await Connection::open(loop_, network_, target_, options_.timeout / 2);
  if (!opened) co_return pass_on(std::move(opened));
  connection_ = std::move(*opened);
  const auto facts =
      co_await greet(*connection_, options_.durability, options_.timeout, loop_.now() + options_.timeout / 2);
  if (!facts) co_return std::unexpected(facts.error());
  listener_.connected(connection_->server(), *facts);
  live_ = true;
  broken_ = false;
  co_return Result<void>{};
}

// It is silent, while there is something it has to answer, for as long.
TimePoint Link::overdue() const {
  const auto& under_way = connection_->under_way();
  if (under_way.empty()) return io::kNoDeadline;
  return std::max(under_way.front().sent_at, heard_) + options_.timeout / 2;
}

io::Task<Error> Link::serve() {
  for (;;) {
    const auto active = co_await connection_->activity(overdue());
    if (active) heard_ = loop_.now();
    bool usable = !broken_;
    for (Transaction& answered : connection_->take_answered()) usable = settle(std::move(answered)) && usable;
    const bool late = !active && active.error().code == Code::timeout;
    if (!active && !late) co_return active.error();
    if (!usable || (late && overdue() <= loop_.now()))
      co_return Error{.code = Code::store_unavailable,
                      .side = Side::store,
                      .context = fmt::format("{}: {}", connection_->server(),
                                             usable ? "it does not answer" : "it takes no more writes")};
    pump();
  }
}

void Link::pump() {
  while (live_ && !broken_ && !queue_.empty() && connection_->under_way().size() < options_.under_way_max) {
    Transaction next = next_transaction();
    if (next.executions.empty()) continue;
    next.sent_at = loop_.now();
    const bool first = connection_->under_way().empty();
    broken_ = !connection_->send(std::move(next));
    if (broken_)
      connection_->move_deadline(loop_.now());
    else if (first)
      connection_->move_deadline(overdue());
  }
}

// Calls in the order they came, up to one that locks rows another one locks.
Transaction Link::next_transaction() {
  Transaction out;
  std::vector<std::string_view> rows;
  std::size_t bytes = 0;
  while (!queue_.empty() && out.executions.size() < options_.together_max) {
    const std::shared_ptr<Call>& call = queue_.front();
    if (call->deadline <= loop_.now()) {
      const std::shared_ptr<Call> late = call;
      queue_.pop_front();
      give_up(*late, why_not());
      continue;
    }
    if (!out.executions.empty() &&
        (call->alone || bytes + call->values.bytes() > kTogetherBytesMax ||
         (!call->rows.empty() && std::ranges::find(rows, call->rows) != rows.end())))
      break;
    bytes += call->values.bytes();
    if (!call->rows.empty()) rows.push_back(call->rows);
    const bool alone = call->alone;
    out.executions.push_back(call);
    queue_.pop_front();
    if (alone) break;
  }
  // As every gateway orders them, so that none waits for one that waits for it. Those without rows stay as
  // they are.
  const auto rows_of = [](const std::shared_ptr<Execution>& e) -> const std::string& {
    return static_cast<const Call&>(*e).rows;
  };
  if (!rows.empty()) std::ranges::sort(out.executions, {}, rows_of);
  return out;
}

// false: the connection is no good any more.
bool Link::settle(Transaction transaction) {
  bool usable = true;
  if (transaction.applied) {
    served_ = true;
    listener_.settled(transaction);
  }
  const bool one = transaction.executions.size() == 1;
  std::vector<std::shared_ptr<Call>> again;
  for (const auto& execution : transaction.executions) {
    auto call = std::static_pointer_cast<Call>(execution);
    if (!transaction.applied) {
      const Refusal* const refusal = call->answer ? nullptr : &call->answer.error();
      const bool ends = refusal != nullptr && ends_connection(*refusal);
      usable = usable && !ends;
      const bool innocent = refusal == nullptr || refusal->state == Refusal::kAborted;
      if (innocent || ends || is_passing(*refusal) || (!one && refusal->state == kRace)) {
        call->alone = true;
        again.push_back(std::move(call));
        continue;
      }
    }
    finish(*call);
  }
  for (auto& call : again) send_again(std::move(call));
  return usable;
}

void Link::send_again(std::shared_ptr<Call> call) {
  call->answer = std::unexpected(Refusal{});
  submit(std::move(call));
}

void Link::finish(Call& call) {
  if (call.waiting != nullptr) std::exchange(call.waiting, nullptr)->resume(std::move(call.answer));
}

void Link::give_up(Call& call, std::string why) {
  call.answer = std::unexpected(Refusal{{}, std::move(why)});
  finish(call);
}

void Link::lose_connection(const Error& why) {
  live_ = false;
  why_not_ = why.context;
  std::deque<Transaction> lost;
  if (connection_) lost = std::move(connection_->under_way());
  connection_.reset();
  std::vector<std::shared_ptr<Call>> unknown;
  // In front of what was not sent: commits of a session keep their order.
  for (auto transaction = lost.rbegin(); transaction != lost.rend(); ++transaction) {
    for (auto execution = transaction->executions.rbegin(); execution != transaction->executions.rend();
         ++execution) {
      auto call = std::static_pointer_cast<Call>(*execution);
      if (call->repeatable)
        queue_.push_front(std::move(call));
      else
        unknown.push_back(std::move(call));
    }
  }
  for (const auto& call : unknown) give_up(*call, why_not_);
}

// Their waiters know: only what nobody waits for is left here.
void Link::drop_late_calls() {
  std::erase_if(queue_, [this](const auto& call) { return call->deadline <= loop_.now(); });
}

Waiting::~Waiting() {
  if (call_->waiting == this) call_->waiting = nullptr;
}

void Waiting::await_suspend(std::coroutine_handle<> h) {
  waiting_ = h;
  call_->waiting = this;
  arm(call_->deadline);
  link_.submit(call_);
}

void Waiting::on_timer() {
  call_->waiting = nullptr;
  resume(std::unexpected(Refusal{{}, link_.why_not()}));
}

void Waiting::resume(Answer answer) {
  disarm();
  answer_ = std::move(answer);
  waiting_.resume();
}

}  // namespace stateway::store::postgres
