#include "store/redis/connection.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/redis/greeting.h"

namespace stateway::store::redis {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

struct Connection::Flush final : io::TurnEnd {
  explicit Flush(Connection& c) : connection(&c) {}
  void on_turn_end() override {
    if (connection != nullptr) connection->flush();
  }
  Connection* connection;
};

struct Connection::Silence final : io::Timer {
  explicit Silence(Connection& c) : Timer(c.loop_.timers()), connection(c) {}
  void on_timer() override { connection.reset("no answer"); }
  Connection& connection;
};

Connection::Call::Call(Connection& connection, std::string command, TimePoint deadline, unsigned replies)
    : Timer(connection.loop_.timers()),
      connection_(connection),
      command_(std::move(command)),
      deadline_(deadline),
      replies_(replies) {}

Connection::Call::~Call() { leave(); }

void Connection::Call::await_suspend(std::coroutine_handle<> h) {
  waiting_ = h;
  connection_.unsent_.push_back({std::move(command_), replies_, {}, this});
  slot_ = std::prev(connection_.unsent_.end());
  where_ = Where::unsent;
  arm(deadline_);
  connection_.loop_.at_turn_end(connection_.flush_);
}

void Connection::Call::on_timer() {
  if (where_ == Where::unsent) {
    const std::string& why = connection_.failed_.context;
    finish(fail(Code::timeout, Side::store,
                why.empty() ? connection_.dialer_.name() + ": no connection" : why, Retry::always));
  } else {
    finish(fail(Code::timeout, Side::store, connection_.dialer_.name() + ": no answer in time"));
  }
}

void Connection::Call::finish(Result<Reply> result) {
  leave();
  disarm();
  result_ = std::move(result);
  waiting_.resume();
}

void Connection::Call::leave() {
  switch (std::exchange(where_, Where::nowhere)) {
    case Where::nowhere:
      return;
    case Where::unsent:
      connection_.unsent_.erase(slot_);
      return;
    case Where::sent:
      slot_->call = nullptr;  // its reply still comes
  }
}

Connection::Connection(io::Loop& loop, Dialer& dialer, ConnectionOptions options, ServerCheck& check,
                       Random& random)
    : loop_(loop),
      dialer_(dialer),
      options_(std::move(options)),
      check_(check),
      random_(random),
      flush_(std::make_shared<Flush>(*this)),
      silence_(std::make_unique<Silence>(*this)),
      demand_(loop),
      attempts_(loop) {
  runner_.spawn(run());
}

Connection::~Connection() { flush_->connection = nullptr; }

io::Task<Result<ServerFacts>> Connection::ready(TimePoint deadline) {
  if (live_) co_return facts_;
  wanted_ = true;
  loop_.at_turn_end(flush_);
  if (const auto ended = co_await attempts_.wait(deadline); !ended) {
    const std::string& why = failed_.context;  // of the attempt before
    co_return fail(Code::timeout, Side::store, why.empty() ? dialer_.name() + ": no answer in time" : why);
  }
  if (!live_) co_return std::unexpected<Error>(failed_);
  co_return facts_;
}

void Connection::reset(std::string why) {
  if (stream_ == nullptr) return;
  if (broke_.empty()) broke_ = std::move(why);
  silence_->disarm();
  live_ = false;  // what comes from now on goes over the next one
  stream_->abort();
}

io::Task<void> Connection::run() {
  for (;;) {
    if (unsent_.empty() && !wanted_) (void)co_await demand_.wait(io::kNoDeadline);
    if (loop_.now() < next_attempt_) co_await io::SleepUntil(loop_, next_attempt_);
    if (unsent_.empty() && !wanted_) continue;  // nobody waits any more
    auto begun = co_await begin();
    wanted_ = false;
    if (!begun) {
      end(begun.error().context);
      attempt_failed(std::move(begun).error());
      attempts_.wake_all();
      continue;
    }
    live_ = true;
    answered_ = false;
    attempts_.wake_all();
    loop_.at_turn_end(flush_);
    const std::string why = co_await read_replies();
    end(why);
    // Greeted, and nothing more: not at once again.
    if (!answered_) attempt_failed({Code::store_unavailable, Side::store, Retry::never, why});
  }
}

io::Task<Result<void>> Connection::begin() {
  const TimePoint deadline = loop_.now() + options_.timeout;
  broke_.clear();
  auto dialed = co_await dialer_.dial(deadline);
  if (!dialed) {
    const Code code = dialed.error().code;
    const bool untrusted = code == Code::certificate_untrusted || code == Code::certificate_name;
    co_return fail(untrusted ? Code::invalid_argument : Code::store_unavailable, Side::store,
                   "cannot be reached: " + dialed.error().context);
  }
  stream_ = std::move(*dialed);
  reader_.emplace();
  const Greeting greeting(options_.user, options_.password, options_.database);
  if (const auto written = co_await stream_->write_all(greeting.commands(), deadline); !written)
    co_return fail(Code::store_unavailable, Side::store, "cannot be reached: " + written.error().context);
  std::vector<Reply> replies;
  while (replies.size() < greeting.size()) {
    auto reply = co_await next_reply(deadline);
    if (!reply && reply.error().code == Code::closed) break;
    if (!reply) co_return pass_on(std::move(reply));
    replies.push_back(std::move(*reply));
  }
  auto facts = greeting.facts(replies);
  if (!facts) co_return pass_on(std::move(facts));
  if (auto checked = check_.check(*facts); !checked) co_return checked;
  dialer_.greeted();
  facts_ = std::move(*facts);
  if (std::exchange(told_, false)) log::info("store: connected again", {{"server", dialer_.name()}});
  co_return Result<void>();
}

/// Errors: closed at the end of the connection; as those of begin().
io::Task<Result<Reply>> Connection::next_reply(TimePoint deadline) {
  for (;;) {
    auto reply = reader_->next();
    if (!reply)
      co_return fail(
          Code::invalid_argument, Side::store,
          "it answers, but not as a Redis does (" + reply.error().context + "): is the port right?");
    if (*reply) co_return std::move(**reply);
    read_buffer_.resize(kReadBytes);
    const auto got = co_await stream_->read_some(std::span(read_buffer_.data(), kReadBytes), deadline);
    if (!got && got.error().code == Code::timeout)
      co_return fail(Code::store_unavailable, Side::store, "accepts connections and does not answer");
    if (!got) co_return fail(Code::store_unavailable, Side::store, "broke off: " + got.error().context);
    if (*got == 0) co_return fail(Code::closed);
    reader_->feed(std::string_view(read_buffer_).substr(0, *got));
  }
}

/// Until the connection ends; why. Without a deadline: silence_ ends the wait when an answer is due.
io::Task<std::string> Connection::read_replies() {
  read_buffer_.resize(kReadBytes);
  for (;;) {
    const auto got = co_await stream_->read_some(std::span(read_buffer_.data(), kReadBytes), io::kNoDeadline);
    if (!broke_.empty()) co_return broke_;
    if (!got) co_return got.error().context;
    if (*got == 0) co_return "it ended the connection";
    reader_->feed(std::string_view(read_buffer_).substr(0, *got));
    for (;;) {
      auto reply = reader_->next();
      if (!reply) co_return reply.error().context;
      if (!*reply) break;
      if (sent_.empty()) co_return "it sent what nobody asked for";
      deliver(std::move(**reply));
      if (!broke_.empty()) co_return broke_;
    }
    if (sent_.empty()) {
      silence_->disarm();
    } else {
      silence_->arm(loop_.now() + options_.silence);
    }
  }
}

void Connection::deliver(Reply reply) {
  answered_ = true;
  failures_ = 0;
  Slot& slot = sent_.front();
  if (slot.replies > 1) {
    slot.earlier.push_back(std::move(reply));
    if (slot.earlier.size() < slot.replies) return;
    reply = {.kind = Reply::Kind::array, .elements = std::move(slot.earlier)};
  }
  Call* const call = slot.call;
  if (call != nullptr) call->where_ = Call::Where::nowhere;
  sent_.pop_front();
  if (call != nullptr) call->finish(std::move(reply));
}

/// What was sent fails; what was not waits for the next connection, or fails too.
void Connection::end(std::string why) {
  const bool was_live = live_ || !broke_.empty();
  live_ = writing_ = false;
  silence_->disarm();
  writer_.cancel_all();
  stream_.reset();
  reader_.reset();
  if (was_live && !sent_.empty())
    log::warn("store: connection lost", {{"server", dialer_.name()}, {"why", why}});
  Slots broken = std::move(sent_);
  sent_.clear();
  if (!options_.patient) broken.splice(broken.end(), unsent_);
  while (!broken.empty()) {
    Call* const call = broken.front().call;
    const bool unsent = call != nullptr && call->where_ == Call::Where::unsent;
    if (call != nullptr) call->where_ = Call::Where::nowhere;
    broken.pop_front();
    if (call == nullptr) continue;
    call->finish(
        fail(Code::closed, Side::store, dialer_.name() + ": " + why, unsent ? Retry::always : Retry::never));
  }
}

void Connection::attempt_failed(Error error) {
  if (!std::exchange(told_, true))
    log::warn("store: no connection", {{"server", dialer_.name()}, {"why", error.context}});
  error.context = dialer_.name() + ": " + error.context;
  failed_ = std::move(error);
  const Duration pause = std::min(kPauseMax, kPauseMin * (1u << std::min(failures_++, 10u)));
  // Half of it is drawn, so that the loops of many gateways do not come back all at once.
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  next_attempt_ = loop_.now() + Duration(half + random_.below(half));
}

void Connection::flush() {
  if (!live_) {
    if (!unsent_.empty() || wanted_) demand_.wake();
    return;
  }
  if (writing_ || unsent_.empty()) return;
  writing_ = true;
  writer_.spawn(write_out());
}

io::Task<void> Connection::write_out() {
  while (live_ && !unsent_.empty()) {
    if (sent_.empty()) silence_->arm(loop_.now() + options_.silence);
    out_.clear();
    for (Slot& slot : unsent_) {
      out_ += slot.command;
      std::string().swap(slot.command);
      slot.call->where_ = Call::Where::sent;
    }
    sent_.splice(sent_.end(), unsent_);
    if (const auto written = co_await stream_->write_all(out_, loop_.now() + options_.silence); !written) {
      reset(written.error().context);
      break;
    }
  }
  writing_ = false;
}

}  // namespace stateway::store::redis
