// For tests: gateways' outage stores in front of one server. What a record means is a number of lines: an
// intent is a line to add, and two that begin with the same letter overlap.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "io/sockets.h"
#include "store/batch.h"
#include "store/outage/faulty_store.h"
#include "store/outage/outage_store.h"
#include "store/store_fixture.h"
#include "store/temporary_directory.h"

namespace stateway::store::outage {

/// An intent is "BASE|LINE": LINE was added to BASE.
class LineRemaker final : public Remaker {
 public:
  Remade remake(std::string_view intent, const Record& made, const Record& present,
                OnConflict on_conflict) const override {
    const std::size_t bar = intent.find('|');
    const std::string_view base = intent.substr(0, bar), line = intent.substr(bar + 1);
    if (present.principal != made.principal) return {.how = Remade::How::refused, .record = {}};
    if (present.value == base) return {.how = Remade::How::as_made, .record = {}};
    Remade remade{.how = Remade::How::rebased, .record = present};
    for (std::size_t at = 0; at < present.value.size(); at = present.value.find('\n', at) + 1) {
      const bool is_new = !base.contains(present.value.substr(at, present.value.find('\n', at) - at + 1));
      if (is_new && present.value[at] == line.front()) remade.how = Remade::How::overlapped;
    }
    if (remade.how == Remade::How::overlapped && on_conflict == OnConflict::store) return remade;
    remade.record.value += line;
    remade.record.value += '\n';
    return remade;
  }
};

class OutageTest : public testing::Test {
 protected:
  static constexpr WallMillis kLife = 3'600'000;

  struct Gateway {
    explicit Gateway(std::string f) : folder(std::move(f)) {}
    const std::string folder;
    std::atomic<Line> line{Line::works};
    std::unique_ptr<OutageStore> store;
    FaultyStore* inner = nullptr;
  };

  void open(Gateway& gateway, OnConflict on_conflict = OnConflict::journal, std::uint64_t journal = 1 << 20,
            std::size_t overlay = 1 << 20) {
    auto inner = std::make_unique<FaultyStore>(server_, gateway.line);
    gateway.inner = inner.get();
    const OutageStore::Options options{
        .local = {.journal = {.folder = directory_.path() + "/" + gateway.folder, .bytes_max = journal},
                  .overlay_bytes_max = overlay,
                  .on_conflict = on_conflict},
        .pace = {.look = 1ms}};
    auto opened = OutageStore::open(std::move(inner), clock_, random_, remaker_, options);
    ASSERT_TRUE(opened) << opened.error().context;
    gateway.store = std::move(*opened);
    loop_.run([&](io::Loop& loop) { return attach(loop, *gateway.store); });
  }
  void close(Gateway& gateway) {
    if (!gateway.store) return;
    detach(gateway);
    gateway.store.reset();
  }
  void detach(Gateway& gateway) {
    loop_.run([&](io::Loop& loop) { return detach_on(loop, *gateway.store); });
  }
  void SetUp() override { open(one_); }
  void TearDown() override {
    close(one_);
    close(two_);
  }

  Result<std::optional<Record>> load(Gateway& at, std::string key) {
    return loop_.run([&](io::Loop& loop) { return at.store->load(loop, key); });
  }
  /// The value, "none", or the error's name.
  std::string see(Gateway& at, const std::string& key) {
    const auto loaded = load(at, key);
    if (!loaded) return std::string(code_name(loaded.error().code));
    if (!*loaded) return "none";
    return (*loaded)->state == State::ended ? "ended" : (*loaded)->value;
  }
  std::string in_store(const std::string& key) {
    const auto store = server_.store();
    const auto loaded = loop_.run([&](io::Loop& loop) { return store->load(loop, key); });
    if (!*loaded) return "none";
    return (*loaded)->state == State::ended ? "ended" : (*loaded)->value;
  }
  Result<Committed> commit(Gateway& at, Batch batch) {
    return loop_.run([&](io::Loop& loop) { return at.store->commit(loop, batch); });
  }
  Batch adding(const std::string& key, const std::optional<Record>& base, const std::string& line) {
    Record record = base.value_or(live(0, clock_.now() + kLife, ""));
    const std::string before = record.value;
    record.value += line + "\n";
    ++record.revision;
    Batch batch = one_write(key, record.revision - 1, std::move(record));
    batch.intent = before + "|" + line;
    batch.id = {.gateway = 77, .sequence = ++sequence_};
    return batch;
  }
  /// A whole exchange: "local", "stored", or the error's name.
  std::string add(Gateway& at, const std::string& key, const std::string& line) {
    for (;;) {
      const auto base = load(at, key);
      if (!base) return std::string(code_name(base.error().code));
      Batch batch = adding(key, *base, line);
      batch.id.gateway = &at == &one_ ? 1 : 2;
      const auto committed = commit(at, std::move(batch));
      if (committed) return committed->local ? "local" : "stored";
      if (committed.error().code != Code::conflict) return std::string(code_name(committed.error().code));
    }
  }
  std::string end(Gateway& at, const std::string& key) {
    const auto base = load(at, key);
    if (!base || !*base) return "none";
    Record tombstone = in_state(State::ended, (*base)->revision + 1, clock_.now() + kLife);
    const auto committed = commit(at, one_write(key, (*base)->revision, std::move(tombstone)));
    if (!committed) return std::string(code_name(committed.error().code));
    return committed->local ? "local" : "stored";
  }
  OutageStats stats(Gateway& at) { return *at.store->stats().outage; }
  template <class Condition>
  void eventually(Condition condition) {
    // tidy: clock: the loop is on another thread.
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      // tidy: clock: the same.
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  void until_settled(Gateway& at) {
    eventually([&] { return stats(at).pending == 0 && stats(at).away_since == 0; });
  }
  void away(Gateway& at, Line how = Line::fails) {
    at.line = how;
    for (unsigned i = 0; i < Breakers::kFailuresToOpen; ++i) (void)load(at, "whoever");
    EXPECT_NE(stats(at).away_since, 0);
  }
  void fail_over(std::vector<Entry> entries) {
    loop_.run([&](io::Loop& loop) { return server_.fail_over(loop, entries); });
  }
  std::vector<Entry> snapshot() {
    return loop_.run([&](io::Loop& loop) { return Server::snapshot(loop, server_.store()); });
  }

  ManualClock clock_;
  SeededRandom random_{1};
  LineRemaker remaker_;
  TemporaryDirectory directory_;
  Server server_{clock_};
  LoopThread loop_;
  Gateway one_{"one"};
  Gateway two_{"two"};
  std::uint64_t sequence_ = 0;

  // MemoryStore needs no network.
  struct NoNetwork final : io::Network {
    io::Task<Result<std::unique_ptr<io::Stream>>> connect(const Address&, TimePoint) override {
      co_return fail(Code::connect_failed);
    }
  };
  io::Task<bool> attach(io::Loop& loop, OutageStore& store) {
    store.attach(loop, network_);
    co_return true;
  }
  static io::Task<bool> detach_on(io::Loop& loop, OutageStore& store) {
    store.detach(loop);
    co_return true;
  }

 private:
  NoNetwork network_;
};

}  // namespace stateway::store::outage
