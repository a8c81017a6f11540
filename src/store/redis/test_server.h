// For tests: a server that speaks RESP in the simulated network and does what the test says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/sim/network.h"
#include "io/task_group.h"
#include "io/test_loop.h"
#include "store/redis/connection.h"

namespace stateway::store::redis::test {

using Words = std::vector<std::string>;

/// One of a simulated world; answers in the order it is asked.
class Server {
 public:
  static constexpr const char* kInfo =
      "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:0123456789abcdef\r\n# "
      "Persistence\r\n"
      "loading:0\r\naof_enabled:0\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n# "
      "Replication\r\n"
      "role:master\r\nmaster_replid:fedcba9876543210\r\n";

  Server(io::SimLoop& loop, io::SimHost& host, const Address& at) : loop_(loop), acceptor_(host.listen(at)) {
    group_.spawn(accept());
  }

  /// What comes back for a command: RESP octets; empty: nothing, ever. Without it, +OK.
  std::function<std::string(const Words&)> answer;
  std::string info = kInfo;
  /// From now on it says that it is another process: `id` has 16 octets.
  void become(std::string_view id) {
    info = kInfo;
    info.replace(info.find("0123456789abcdef"), 16, id);
  }
  std::string hello;              // said, before anything else, to who connects; then it hangs up
  std::size_t hang_up_after = 0;  // commands of one connection, greeting included; 0: never
  bool mute = false;              // nothing goes out any more
  std::vector<Words> asked;       // all but the greetings
  std::vector<Words> greeted;
  int connections = 0;
  int pieces = 0;  // in which commands arrived: a read each

 private:
  static std::string text(const std::string& value) {
    return "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }
  std::string reply_to(const Words& words) {
    if (words[0] == "AUTH" || words[0] == "SELECT" || words[0] == "CLIENT" || words[0] == "INFO") {
      greeted.push_back(words);
      if (answer && words[0] != "INFO")
        if (std::string own = answer(words); !own.empty()) return own;
      return words[0] == "INFO" ? text(info) : "+OK\r\n";
    }
    asked.push_back(words);
    return answer ? answer(words) : "+OK\r\n";
  }
  io::Task<void> accept() {
    for (;;) {
      auto accepted = co_await acceptor_->accept();
      if (!accepted) continue;
      ++connections;
      group_.spawn(serve(std::move(accepted->stream)));
    }
  }
  io::Task<void> serve(std::unique_ptr<io::Stream> stream) {
    ReplyReader reader;
    std::vector<char> buffer(16384);
    std::size_t served = 0;
    if (!hello.empty()) (void)co_await stream->write_all(hello, loop_.now() + 60s);
    while (hello.empty()) {
      const auto got = co_await stream->read_some(buffer, io::kNoDeadline);
      if (!got || *got == 0) co_return;
      ++pieces;
      reader.feed({buffer.data(), *got});
      std::string out;
      for (auto command = reader.next(); command && *command; command = reader.next()) {
        Words words;
        for (const Reply& word : (*command)->elements) words.push_back(word.text);
        if (hang_up_after > 0 && served == hang_up_after) break;
        ++served;
        out += reply_to(words);
      }
      if (!mute && !out.empty()) (void)co_await stream->write_all(out, loop_.now() + 60s);
      if (hang_up_after > 0 && served >= hang_up_after) co_return;
    }
  }

  io::SimLoop& loop_;
  std::unique_ptr<io::Acceptor> acceptor_;
  io::TaskGroup group_;
};

/// A client and a server that anything can happen between.
struct World {
  explicit World(const io::Faults& faults = {}, std::uint64_t seed = 1)
      : random(seed), loop(random, faults), network(loop, random, faults) {}
  /// For coroutines: time goes on.
  io::SleepUntil pass(Duration by) {
    return io::sleep_for(loop, by);  // tidy: sleep: virtual time
  }
  void run(io::Task<void> task) { io::run_until_done(loop, std::move(task), 3600s); }

  const Address at{.host = "10.0.0.2", .port = 6379};
  SeededRandom random;
  io::SimLoop loop;
  io::SimNetwork network;
  io::SimHost client{network, "10.0.0.1"};
  io::SimHost host{network, "10.0.0.2"};
};

struct AnyMaster final : ServerCheck {
  Result<void> check(const ServerFacts& facts) override { return check_master(facts); }
};

}  // namespace stateway::store::redis::test
