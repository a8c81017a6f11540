// What an answer, or none, tells the oracle.
#include <fmt/format.h>

#include "base/bytes.h"
#include "lab/ledger.h"
#include "shopper_order.h"

namespace stateway::sim {
namespace {

using lab::Write;

constexpr std::string_view kProblemType = "urn:stateway:problem:";

// Problems after which nobody knows whether there was a commit; after all others there was none.
bool leaves_open(std::string_view code) { return code == "store-unavailable"; }

}  // namespace

// Whether what the order wants written is durable now; the answer's cookie is part of what is.
bool Shopper::durable(const Order& o, const Answer& answer) {
  const std::string cookie = cookie_in(answer.set_cookie).value_or(o.cookie);
  switch (o.kind) {
    case Kind::begin:
      return oracle_.holds(cookie, o.owner, o.owner);
    case Kind::add:
      return oracle_.holds(cookie, o.owner, o.id);
    case Kind::end:
      return oracle_.has_ended(o.cookie);
    default:
      return true;
  }
}

// As a browser, but for one thing: an answer to a request from before a log-in that was overtaken by the
// log-in's own may bring a cookie that opens nothing any more.
void Shopper::take_cookie(const Order& o, const Answer& answer) {
  if (o.owner != owner_ || o.kind == Kind::end || o.logins != logins_) return;
  if (auto cookie = cookie_in(answer.set_cookie)) cookie_ = std::move(*cookie);
}

void Shopper::settle(Order& o, const Answer& answer) {
  if (answer.status == 500 && answer.body.find("urn:stateway:problem:internal") != std::string::npos)
    oracle_.violation("an internal error: " + answer.body);
  const std::size_t type = answer.body.find(kProblemType);
  if (answer.status >= 400 && type != std::string::npos) {
    if (!answer.set_cookie.empty()) oracle_.violation("a problem came with a cookie: " + answer.body);
    return settle_problem(o, answer);
  }
  if (!answer.owner.empty() && answer.owner != "-" && answer.owner != o.owner)
    oracle_.violation(fmt::format("{} of {} was served the session of {}", o.id, o.owner, answer.owner));
  if (answer.status == 404 && answer.owner == "-") {
    check_owner(o, answer);
    return settle_unanswered(o, false);
  }
  take_cookie(o, answer);
  oracle_.tally(
      fmt::format("answer: {} of the service{}", answer.status, answer.whole ? "" : ", broken off"));
  if (answer.status >= 300) return settle_unanswered(o, answer.perhaps_patched);
  settle_success(o, answer);
}

// The service was given no document: has the session gone for a reason?
void Shopper::check_owner(const Order& o, const Answer&) {
  Known& known = oracle_.known(o.owner);
  const bool excused = known.may_have_ended() || known.renewing > 0 || known.renewals != o.renewals;
  if (!excused)
    oracle_.violation(fmt::format("session {} was not found by its cookie, for {}", o.owner, o.id));
  if (o.owner == owner_ && o.cookie == cookie_) lost_ = known.lost = true;
}

void Shopper::settle_success(Order& o, const Answer& answer) {
  Known& known = oracle_.known(o.owner);
  ++acknowledged_;
  if (o.kind != Kind::plain && o.ended && answer.owner == o.owner)
    oracle_.violation(fmt::format("session {} had ended, and served {}", o.owner, o.id));
  if (!answer.durable_at_first)
    oracle_.violation(fmt::format("success for {} left before it was durable", o.id));
  switch (o.kind) {
    case Kind::begin:
      known.begun = true;
      oracle_.wrote(o.owner, kBeginning, Write::acknowledged);
      break;
    case Kind::add:
      known.written.push_back(o.id);
      oracle_.wrote(o.owner, o.id, Write::acknowledged);
      break;
    case Kind::count: {
      const auto n = static_cast<std::int64_t>(parse_decimal(answer.number).value_or(0));
      ++known.counted;
      if (!known.counts.insert(n).second)
        oracle_.violation(fmt::format("two increments of {} both led to {}", o.owner, n));
      if (!oracle_.counts(cookie_in(answer.set_cookie).value_or(o.cookie), o.owner, n))
        oracle_.violation(fmt::format("increment {} of {} to {} is not durable", o.id, o.owner, n));
      break;
    }
    case Kind::read:
      check_document(o, answer);
      break;
    case Kind::renew:
      if (o.owner == owner_) ++logins_;
      --known.renewing;
      ++known.renewals;
      break;
    case Kind::end:
      known.ended = true;
      break;
    case Kind::plain:
      break;
  }
}

void Shopper::check_document(const Order& o, const Answer& answer) {
  if (!answer.whole) return;
  const Known& known = oracle_.known(o.owner);
  for (std::size_t i = 0; i < o.written; ++i)
    if (answer.body.find('"' + known.written[i] + '"') == std::string::npos)
      oracle_.violation(fmt::format("{} was acknowledged before {} was sent, which does not find it",
                                    known.written[i], o.id));
}

void Shopper::settle_problem(Order& o, const Answer& answer) {
  const std::size_t at = answer.body.find(kProblemType) + kProblemType.size();
  const std::string_view code = std::string_view(answer.body).substr(at, answer.body.find('"', at) - at);
  oracle_.tally(fmt::format("answer: {} {}", answer.status, code));
  settle_unanswered(o, leaves_open(code));
}

// No answer, or one that promises nothing. `perhaps`: it may have been written all the same.
void Shopper::settle_unanswered(const Order& o, bool perhaps) {
  Known& known = oracle_.known(o.owner);
  const Write write = perhaps ? Write::indeterminate : Write::refused;
  if (o.kind == Kind::begin) oracle_.wrote(o.owner, kBeginning, write);
  if (o.kind == Kind::add) oracle_.wrote(o.owner, o.id, write);
  if (o.kind == Kind::count && perhaps) ++known.may_count;
  if (o.kind == Kind::end && !perhaps) --known.ending;
  if (o.kind == Kind::renew && !perhaps) --known.renewing;
}

}  // namespace stateway::sim
