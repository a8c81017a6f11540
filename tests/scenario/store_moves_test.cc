// [store] is changed by reload while clients fill their carts: from the disk to Redis and on. No request
// fails and nothing is lost; what idle clients left behind is moved by `stateway store copy`. And a backup
// that is taken meanwhile is what there was at one moment.
#include <fmt/format.h>

#include <future>

#include "cart_load.h"
#include "postgres_server.h"
#include "redis_server.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

std::string embedded(std::string_view name) {
  return fmt::format("kind = \"embedded\"\npath = \"@DIR@/{}\"\n", name);
}

class StoreMoves : public Site {
 protected:
  static std::string config(const std::string& store, const std::string& previous = "") {
    const std::string both = previous.empty() ? store : store + "[store.previous]\n" + previous;
    return cart_config({.store = both, .instances = 2});
  }
  Ended command(std::vector<std::string> words) {
    words.insert(words.end(), {"-c", folder / "stateway.toml", "--admin", to_string(gateway->admin())});
    return run_stateway(folder, std::move(words));
  }
  /// A client with one item in its cart, which then goes away for a while.
  Browser idle_client(const std::string& item) {
    Browser browser;
    const std::string body = fmt::format(R"({{"id":"{}","name":"n"}})", item);
    EXPECT_EQ(browse(browser, "POST", "/api/cart/items", body).status, 201);
    return browser;
  }
  void expect_item(Browser& browser, const std::string& item) {
    const Reply cart = browse(browser, "GET", "/api/cart");
    EXPECT_EQ(cart.status, 200) << cart.body;
    EXPECT_THAT(cart.body, HasSubstr('"' + item + '"'));
  }

  std::string on_postgres() {
    const std::string store = fmt::format("kind = \"postgres\"\nurl = \"{}\"\n", postgres_.url(database_));
    write_config(config(store));
    const Ended migrated = run_stateway(folder, {"store", "migrate", "-c", folder / "stateway.toml"});
    EXPECT_EQ(migrated.status, 0) << migrated.output;
    return store;
  }

  stores::PostgresServer& postgres_ = stores::shared_postgres();
  const std::string database_ = postgres_.new_database();
  stores::RedisServer redis_;
  const std::string on_redis_ = fmt::format("kind = \"redis\"\nurl = \"redis://{}\"\n", redis_.address());
};

class MovesUnderLoad : public StoreMoves {
 protected:
  void run(const std::vector<std::string>& stores) {
    start(config(stores.front()));
    wait_until_all_are_up();
    lab::LoadOptions options = cart_load(gateway->clients());
    options.duration = std::chrono::seconds(setting("STATEWAY_SCENARIO_SECONDS", 12));
    lab::Load load(lab_.loop, lab_.network, options, workload_);
    const lab::LoadReport report = play(lab_, load, move_on(stores));
    std::cout << moves_ << " moves, " << report.turns() << " requests\n";
    EXPECT_GE(moves_, stores.size());
    EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload_.refusals());
    expect_carts_as_promised(gateway->clients(), load, options.clients, workload_);
    // The same from the last store alone. The load may have ended in the middle of a move.
    reload_with(config(to_, from_));
    const Ended copied = command({"store", "copy"});
    EXPECT_EQ(copied.status, 0) << copied.output;
    reload_with(config(to_));
    expect_carts_as_promised(gateway->clients(), load, options.clients, workload_);
  }

 private:
  // Each store is left for the next one, and what the load has not moved by then is brought.
  io::Task<void> move_on(std::vector<std::string> stores) {
    for (;;) {
      from_ = stores[moves_ % stores.size()];
      to_ = stores[(moves_ + 1) % stores.size()];
      write_config(config(to_, from_));
      co_await reload_by(lab_, gateway->admin());
      ++moves_;
      auto copied = std::async(std::launch::async, [this] { return command({"store", "copy"}); });
      while (copied.wait_for(Duration(0)) != std::future_status::ready)
        // tidy: sleep: the load runs meanwhile.
        co_await io::sleep_for(lab_.loop, 10ms);
      const Ended ended = copied.get();
      EXPECT_EQ(ended.status, 0) << ended.output;
      EXPECT_THAT(ended.output, HasSubstr("nothing is left"));
    }
  }

  Lab lab_;
  CartWorkload workload_;
  std::string from_, to_;
  std::size_t moves_ = 0;
};

TEST_F(MovesUnderLoad, FromTheDiskToRedisToPostgresNoRequestFailsAndNothingIsLost) {
  run({embedded("a"), on_redis_, on_postgres()});
}

TEST_F(StoreMoves, WhoeverComesIsMovedAndTheRestIsCopied) {
  start(config(embedded("a")));
  Browser comes = idle_client("first"), stays_away = idle_client("second");
  reload_with(config(on_redis_, embedded("a")));
  EXPECT_EQ(status_number("left"), 2u);
  expect_item(comes, "first");
  EXPECT_EQ(status_number("left"), 1u);
  EXPECT_EQ(status_number("moved"), 1u);
  const Ended copied = command({"store", "copy"});
  EXPECT_EQ(copied.status, 0) << copied.output;
  EXPECT_THAT(copied.output, MatchesRegex("1 records moved by the gateway at .*; nothing is left\n"));
  EXPECT_EQ(status_number("left"), 0u);
  reload_with(config(on_redis_));
  expect_item(comes, "first");
  expect_item(stays_away, "second");
  // The old store is closed: a command can open it, and finds nothing more to move.
  eventually([&] { return gateway->log().find("a store was closed") != std::string::npos; });
  const Ended again =
      run_stateway(folder, {"store", "copy", "--from", folder / "a", "--to", "redis://" + redis_.address()});
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("0 records moved"));
}

TEST_F(StoreMoves, NoSessionIsLeftBehindByMistake) {
  start(config(embedded("a")));
  Browser browser = idle_client("item");
  write_config(config(on_redis_));
  const Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("store.kind names another store than the one in force"));
  const Ended effect = command({"check", "--effect"});
  EXPECT_EQ(effect.status, 2) << effect.output;
  EXPECT_THAT(effect.output, HasSubstr("redis in place of embedded at"));
  expect_item(browser, "item");

  write_config(
      config("kind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\ntimeout = \"100ms\"\n", embedded("a")));
  EXPECT_EQ(reload().status, 422) << "a store that does not open changes nothing";
  expect_item(browser, "item");

  write_config(config(embedded("a")));
  EXPECT_EQ(command({"store", "copy"}).status, 1) << "nothing is previous";
}

TEST_F(StoreMoves, OneStoreUnderTwoNamesIsRefused) {
  const std::string twice = "both names are of one store";
  start(config(on_redis_));
  Browser browser = idle_client("item");
  const std::string other = fmt::format("redis://{}/0", redis_.address());
  write_config(config(fmt::format("kind = \"redis\"\nurl = \"{}\"\n", other), on_redis_));
  const Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr(twice));
  expect_item(browser, "item");
  for (const auto& [from, to] :
       {std::pair(other, "redis://" + redis_.address()),
        std::pair(postgres_.url(database_), postgres_.url(database_) + "?keepalives_idle=9")}) {
    on_postgres();
    const Ended copied = run_stateway(folder, {"store", "copy", "--from", from, "--to", to});
    EXPECT_EQ(copied.status, 2) << copied.output;
    EXPECT_THAT(copied.output, HasSubstr(twice));
  }
  expect_item(browser, "item");

  stop();
  write_config(config(embedded("a"), embedded("b/../a")));
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b");
  const Ended run = run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
  EXPECT_EQ(run.status, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr(twice));
}

TEST_F(StoreMoves, AGatewayKilledWhileSessionsMoveGoesOn) {
  start(config(embedded("a")));
  std::vector<Browser> browsers;
  for (int i = 0; i < 20; ++i) browsers.push_back(idle_client(fmt::format("item-{}", i)));
  reload_with(config(on_redis_, embedded("a")));
  for (std::size_t i = 0; i < 10; ++i) expect_item(browsers[i], fmt::format("item-{}", i));
  gateway->kill();
  restart();
  for (std::size_t i = 0; i < 20; ++i) expect_item(browsers[i], fmt::format("item-{}", i));
  EXPECT_EQ(status_number("left"), 0u);
}

class BackupUnderLoad : public StoreMoves {
 protected:
  io::Task<void> back_up_in_the_middle(Lab& lab, TimePoint& began) {
    co_await io::sleep_for(lab.loop, 2s);  // tidy: sleep: the load runs meanwhile.
    began = lab.loop.now();
    auto done =
        std::async(std::launch::async, [this] { return command({"store", "backup", folder / "backup"}); });
    while (done.wait_for(Duration(0)) != std::future_status::ready)
      // tidy: sleep: the load runs meanwhile.
      co_await io::sleep_for(lab.loop, 10ms);
    const Ended ended = done.get();
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("by the gateway at"));
  }
};

TEST_F(BackupUnderLoad, ABackupHoldsAllThatWasAcknowledgedBeforeIt) {
  start(config(embedded("a")));
  wait_until_all_are_up();
  Lab lab;
  CartWorkload workload;
  lab::LoadOptions options = cart_load(gateway->clients());
  lab::Load load(lab.loop, lab.network, options, workload);
  TimePoint began{};
  const lab::LoadReport report = play(lab, load, back_up_in_the_middle(lab, began));
  EXPECT_EQ(report.ok, report.turns()) << testing::PrintToString(workload.refusals());
  EXPECT_EQ(command({"store", "backup", folder / "backup"}).status, 2) << "it is there already";
  stop();

  const std::string file = folder / "stateway.toml";
  EXPECT_EQ(run_stateway(folder, {"store", "restore", folder / "backup", "-c", file}).status, 1)
      << "the store is not empty";
  write_config(config(embedded("restored")));
  const Ended restored = run_stateway(folder, {"store", "restore", folder / "backup", "-c", file});
  EXPECT_EQ(restored.status, 0) << restored.output;
  restart();
  const auto missing = missing_items(gateway->clients(), load, options.clients, workload);
  EXPECT_THAT(missing, Not(IsEmpty())) << "the load went on";
  for (const std::string& item : missing) EXPECT_GE(workload.acknowledged_at(item), began) << item;
  stop();
  const Ended offline = run_stateway(folder, {"store", "backup", folder.path(), "-c", file});
  EXPECT_EQ(offline.status, 0) << offline.output;
  EXPECT_THAT(offline.output, HasSubstr("; no gateway runs"));
}

}  // namespace
}  // namespace stateway::scenario
