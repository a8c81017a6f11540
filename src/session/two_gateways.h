// For tests: two gateways that share a store and their keys, and browsers.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "io/test_loop.h"
#include "session/sessions.h"
#include "store/memory.h"
#include "store/temporary_directory.h"

namespace stateway::session {

inline SessionOptions cart_in_cookies() {
  SessionOptions options;
  options.name = options.cookie = "cart";
  options.placement = Placement::client;
  options.idle = std::chrono::minutes(20);
  options.absolute = std::chrono::hours(24);
  return options;
}

/// What exchanges leave a browser with: one cookie.
struct Browser {
  std::string cookie;
};

class TwoGateways : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(keys.use(directory.path() + "/keys").has_value()); }
  void run(io::Task<void> test) { run_until_done(loop, std::move(test)); }

  io::Task<Slot> open(Sessions& at, std::string cookie) {
    http::CookieValues cookies;
    if (!cookie.empty()) cookies.values[cookies.count++] = cookie;
    auto slot = co_await at.open(loop, options, false, cookies);
    EXPECT_TRUE(slot.has_value());
    co_return std::move(*slot);
  }
  io::Task<Slot> open(const Browser& browser) { co_return co_await open(one, browser.cookie); }
  static void wish(Slot& slot, std::string_view patch) {
    if (!patch.empty()) EXPECT_TRUE(slot.patches.add_header_values(std::span(&patch, 1)).has_value());
  }
  /// The rest of the exchange; the browser stores what it is told.
  io::Task<Result<void>> answer(Sessions& at, Slot& slot, Browser& browser, std::string patch,
                                Overlap overlap = Overlap::last) {
    wish(slot, patch);
    if (!slot.wants_commit()) co_return Result<void>{};
    auto committed = co_await at.commit(loop, slot, overlap);
    if (slot.cookie == Slot::Cookie::set) browser.cookie = slot.cookie_value.reveal();
    if (slot.cookie == Slot::Cookie::clear) browser.cookie.clear();
    co_return committed;
  }
  io::Task<Result<void>> answer(Slot& slot, Browser& browser, std::string patch) {
    co_return co_await answer(one, slot, browser, std::move(patch));
  }
  /// A whole exchange: the document that the service is given.
  io::Task<std::string> exchange(Sessions& at, Browser& browser, std::string patch) {
    Slot slot = co_await open(at, browser.cookie);
    std::string given = slot.record.document;
    EXPECT_TRUE((co_await answer(at, slot, browser, std::move(patch))).has_value());
    co_return given;
  }
  io::Task<std::string> exchange(Browser& browser, std::string patch) {
    co_return co_await exchange(one, browser, std::move(patch));
  }
  io::Task<std::string> look(Browser& browser) { co_return co_await exchange(browser, ""); }
  io::Task<std::optional<store::Record>> record(const Slot& slot) {
    co_return *co_await store.load(loop, key_of(slot.ticket));
  }
  static bool is_ticket(const Browser& b) { return parse_ticket(b.cookie).has_value(); }

  store::TemporaryDirectory directory;
  ManualClock clock;
  SystemRandom random;
  io::EpollLoop loop;
  store::MemoryStore store{clock, 1000};
  KeyRing keys{clock, random};
  Sessions one{store, keys, clock, random};
  Sessions two{store, keys, clock, random};
  SessionOptions options = cart_in_cookies();
};

}  // namespace stateway::session
