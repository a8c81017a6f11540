// A browser sends requests beside each other while the placement changes: what it was told is done is done,
// in whatever order the answers come. What happens is drawn from a seed; one that fails is printed with what
// happened.
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "session/two_gateways.h"

namespace stateway::session {
namespace {

constexpr unsigned kSeeds = 2000;
constexpr int kSteps = 40;
constexpr std::size_t kRequestsMax = 5;  // on their way at once

class SessionModel : public TwoGateways {
 protected:
  SessionModel() {
    store.set_sessions_max(kSeeds);
    const std::array placements{Placement::client, Placement::store, Placement::hybrid};
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      kinds_[i] = options;
      kinds_[i].placement = placements[i];
    }
  }

  io::Task<void> play(unsigned seed);

  std::string told_;  // what happened

 private:
  struct Request {
    Slot slot;
    std::string key;  // that its patch adds; empty: it wants no change
    std::string patch;
    unsigned log_ins = 0;  // before it was sent
  };

  std::size_t draw(std::size_t n) { return drawn_->below(n); }
  bool one_in(unsigned n) { return draw(n) == 0; }
  template <class T>
  T take(std::vector<T>& from) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(draw(from.size()));
    T taken = std::move(*at);
    from.erase(at);
    return taken;
  }
  void tell(std::string_view what, const Slot& slot, const std::string& key = {}) {
    told_ += "\n  " + std::string(what) + " " + key + ": " +
             std::string(placement_name(slot.kind->placement)) + ", " +
             std::string(home_name(slot.record.home)) + ", version " + std::to_string(slot.version) +
             ", record " + std::to_string(slot.stored) + ", client has " + std::to_string(slot.held);
  }

  void begin(unsigned seed);
  io::Task<void> step();
  io::Task<Slot> open_now(std::string cookie);
  std::string drawn_patch(const std::string& key);
  io::Task<void> send();
  io::Task<void> take_answer();
  void take_refusal(const Request& request, Code code);
  void store_cookies();
  void pause();

  std::array<SessionOptions, 3> kinds_;
  std::optional<SeededRandom> drawn_;
  std::size_t placement_ = 0;
  Browser browser_;
  std::vector<std::string> cookies_;  // on their way to the browser
  std::vector<Request> requests_;
  std::set<std::string> done_;   // keys that the browser was told are there
  store::Revision reached_ = 0;  // by what it was told
  unsigned log_ins_ = 0;
  unsigned sent_ = 0;
  bool rested_ = false;  // nothing was sent since the last pause
};

void SessionModel::begin(unsigned seed) {
  drawn_.emplace(seed);
  told_.clear();
  placement_ = draw(kinds_.size());
  browser_ = {};
  cookies_.clear();
  requests_.clear();
  done_.clear();
  reached_ = 0;
  log_ins_ = 0;
  sent_ = 0;
  rested_ = false;
}

io::Task<void> SessionModel::play(unsigned seed) {
  begin(seed);
  Slot first = co_await open_now({});
  EXPECT_TRUE((co_await answer(first, browser_, R"({"k0":1})")).has_value());
  done_.insert("k0");
  reached_ = first.version;
  for (int i = 0; i < kSteps && !HasFailure(); ++i) co_await step();
  while (!requests_.empty() && !HasFailure()) co_await take_answer();
  store_cookies();
  const Slot last = co_await open_now(browser_.cookie);
  tell("at last", last);
  EXPECT_FALSE(last.fresh);
  for (const std::string& key : done_)
    if (!last.record.document.contains('"' + key + '"')) told_ += "\n  lost: " + key;
  EXPECT_FALSE(told_.contains("lost"));
}

io::Task<void> SessionModel::step() {
  switch (draw(7)) {
    case 0:
      placement_ = draw(kinds_.size());
      break;
    case 1:
    case 2:
    case 3:
      if (requests_.size() < kRequestsMax) co_await send();
      break;
    case 4:
    case 5:
      if (!requests_.empty()) co_await take_answer();
      break;
    default:
      pause();
  }
}

io::Task<Slot> SessionModel::open_now(std::string cookie) {
  http::CookieValues cookies;
  if (!cookie.empty()) cookies.values[cookies.count++] = cookie;
  auto slot = co_await one.open(loop, kinds_[placement_], false, cookies);
  EXPECT_TRUE(slot.has_value());
  co_return std::move(*slot);
}

// Some outgrow the cookie, some make it fit again.
std::string SessionModel::drawn_patch(const std::string& key) {
  std::string patch = "{\"" + key + "\":1";
  if (one_in(6))
    patch += R"(,"big":")" + std::string(4000, 'x') + '"';
  else if (one_in(6))
    patch += R"(,"big":null)";
  return patch + "}";
}

io::Task<void> SessionModel::send() {
  const std::string before = browser_.cookie;
  store_cookies();
  // Now and then it was sent before those answers came.
  Request request{.slot = co_await open_now(one_in(4) ? before : browser_.cookie),
                  .key = one_in(3) ? "" : "k" + std::to_string(++sent_),
                  .log_ins = log_ins_};
  if (!request.key.empty()) request.patch = drawn_patch(request.key);
  tell("sent", request.slot, request.key);
  EXPECT_FALSE(request.slot.fresh) << "logged out";
  requests_.push_back(std::move(request));
  rested_ = false;
}

io::Task<void> SessionModel::take_answer() {
  Request request = take(requests_);
  Slot& slot = request.slot;
  if (one_in(5)) {  // the service was asked again, with the latest
    const auto reloaded = co_await one.reload(loop, slot);
    if (!reloaded) co_return take_refusal(request, reloaded.error().code);
  }
  const bool logs_in = one_in(10);
  slot.renew = logs_in;
  if (logs_in && one_in(2)) slot.new_principal = "ann";
  Browser told;
  const auto answered = co_await answer(slot, told, request.patch);
  if (!answered) co_return take_refusal(request, answered.error().code);
  tell(logs_in ? "logged in" : "done", slot, request.key);
  if (logs_in) {  // it stores the answers from before first
    ++log_ins_;
    cookies_.clear();
    browser_.cookie = told.cookie;
  } else if (!told.cookie.empty()) {
    cookies_.push_back(told.cookie);
  }
  if (request.key.empty()) co_return;
  EXPECT_EQ(request.log_ins + (logs_in ? 1 : 0), log_ins_) << "a change by a cookie from before a log-in";
  EXPECT_GT(slot.version, reached_);
  reached_ = slot.version;
  done_.insert(request.key);
}

void SessionModel::take_refusal(const Request& request, Code code) {
  tell("refused", request.slot, request.key);
  EXPECT_EQ(code_name(code), code_name(Code::session_ended));
  EXPECT_NE(request.log_ins, log_ins_) << "nobody has logged in meanwhile";
}

void SessionModel::store_cookies() {
  while (!cookies_.empty()) browser_.cookie = take(cookies_);
}

// Long ones only when all has arrived, and not one after another: the session must not expire.
void SessionModel::pause() {
  if (!requests_.empty()) return clock.advance(std::chrono::seconds(draw(5)));
  if (std::exchange(rested_, true)) return;
  store_cookies();
  clock.advance(std::chrono::minutes(draw(4) * 4));
  told_ += "\n  pause";
}

TEST_F(SessionModel, NothingDoneIsLostWhateverOverlapsWithAMove) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    run(play(seed));
    ASSERT_FALSE(HasFailure()) << "seed " << seed << told_;
  }
}

}  // namespace
}  // namespace stateway::session
