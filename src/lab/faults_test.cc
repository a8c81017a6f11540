#include "lab/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "io/sockets.h"
#include "io/test_loop.h"
#include "lab/gateway_process.h"
#include "lab/services.h"
#include "wire/server.h"

namespace stateway::lab {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "stateway-lab-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& file) const { return path_ + "/" + file; }

 private:
  std::string path_;
};

std::unique_ptr<Program> sleeper(const Folder& folder, const std::string& mark = "none") {
  auto program = Program::start(
      {.words = {"sleep", "600"}, .environment = {{"LAB_TEST_MARK", mark}}, .output_file = folder / "out"});
  EXPECT_TRUE(program.has_value());
  return std::move(*program);
}

TEST(Program, ReportsHowItEndedAndKeepsItsOutput) {
  const Folder folder;
  auto program = Program::start({.words = {"sh", "-c", "echo \"$WHAT\"; exit 7"},
                                 .environment = {{"WHAT", "said this"}},
                                 .output_file = folder / "out"});
  ASSERT_TRUE(program.has_value());
  const auto exit = (*program)->wait(10s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->status, 7);
  EXPECT_EQ(exit->signal, 0);
  EXPECT_EQ(read_file(folder / "out"), "said this\n");
}

TEST(Program, FilesThatCannotBeReadAreEmpty) {
  const Folder folder;
  EXPECT_EQ(read_file(folder / "nothing"), "");
  EXPECT_EQ(read_file(folder / "."), "") << "it opens, and its read fails";
}

TEST(Program, ThatCannotBeStartedSaysWhy) {
  const Folder folder;
  const auto program = Program::start({.words = {"/nonexistent/program"}, .output_file = folder / "out"});
  ASSERT_FALSE(program.has_value());
  EXPECT_EQ(program.error().code, Code::invalid_argument);
  EXPECT_THAT(program.error().context, testing::HasSubstr("No such file"));
}

TEST(Program, IsFoundByItsEnvironmentUntilItIsGone) {
  const Folder folder;
  const std::string mark = "m" + std::to_string(getpid());
  auto program = sleeper(folder, mark);
  EXPECT_THAT(processes_with("LAB_TEST_MARK=" + mark), testing::ElementsAre(program->pid()));
  EXPECT_THAT(processes_with("LAB_TEST_MARK=" + mark + "x"), testing::IsEmpty());
  program.reset();
  EXPECT_THAT(processes_with("LAB_TEST_MARK=" + mark), testing::IsEmpty());
}

TEST(Program, WaitingForOneThatRunsEndsAtTheLimit) {
  const Folder folder;
  auto program = sleeper(folder);
  EXPECT_TRUE(program->running());
  const auto exit = program->wait(1ms);
  ASSERT_FALSE(exit.has_value());
  EXPECT_EQ(exit.error().code, Code::timeout);
}

class Sleepers : public Targets {
 public:
  explicit Sleepers(std::vector<std::unique_ptr<Program>> programs) : programs_(std::move(programs)) {}
  io::Task<std::vector<pid_t>> alive() override {
    std::vector<pid_t> out;
    for (const auto& p : programs_)
      if (p->running()) out.push_back(p->pid());
    co_return out;
  }
  std::vector<std::unique_ptr<Program>> programs_;
};

TEST(Killer, KillsOneAfterTheOtherUntilItsNumberIsReached) {
  const Folder folder;
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 4; ++i) programs.push_back(sleeper(folder));
  Sleepers targets(std::move(programs));
  io::EpollLoop loop;
  SeededRandom random(7);
  Killer killer(loop, targets, random, {.every = 20ms, .kills_max = 3, .freeze = 5ms});
  io::run_until_done(loop, killer.run());
  EXPECT_EQ(killer.kills(), 3u);
  int killed = 0;
  for (const auto& p : targets.programs_) {
    const auto exit = p->wait(p->running() ? 50ms : 10s);
    killed += exit && exit->signal == SIGKILL;
  }
  EXPECT_EQ(killed, 3);
}

io::Task<void> wait_until_frozen(io::EpollLoop& loop, pid_t pid) {
  const std::string stat = "/proc/" + std::to_string(pid) + "/stat";
  const TimePoint limit = loop.now() + 10s;
  const auto frozen = [&] { return read_file(stat).contains(") T "); };
  while (!frozen() && loop.now() < limit) co_await io::sleep_for(loop, 1ms);
}

TEST(Killer, ThatIsCancelledLeavesNobodyFrozen) {
  const Folder folder;
  std::vector<std::unique_ptr<Program>> programs;
  programs.push_back(sleeper(folder));
  Sleepers targets(std::move(programs));
  io::EpollLoop loop;
  SeededRandom random(7);
  Killer killer(loop, targets, random, {.every = 1ms, .freeze = 600s});
  {
    io::TaskGroup tasks;
    tasks.spawn(killer.run());
    io::run_until_done(loop, wait_until_frozen(loop, targets.programs_[0]->pid()));
  }
  EXPECT_EQ(killer.rounds(), 1u);
  const auto exit = targets.programs_[0]->wait(10s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGKILL);
}

TEST(Services, AreReadFromTheAdminApisAnswer) {
  const auto instances = parse_services(R"({"services":[
      {"name":"shop","instances":[{"name":"shop-1","address":"unix:/a","state":"up","pid":42,"active":0},
                                  {"name":"shop-2","address":"unix:/b","state":"starting","pid":null}]},
      {"name":"fixed","instances":[{"name":"fixed-1","address":"127.0.0.1:9001","state":"up"}]}]})");
  ASSERT_TRUE(instances.has_value());
  ASSERT_EQ(instances->size(), 3u);
  EXPECT_EQ((*instances)[0].service, "shop");
  EXPECT_EQ((*instances)[0].name, "shop-1");
  EXPECT_EQ((*instances)[0].pid, 42);
  EXPECT_EQ((*instances)[1].state, "starting");
  EXPECT_EQ((*instances)[1].pid, 0);
  EXPECT_EQ((*instances)[2].address, "127.0.0.1:9001");
  for (const char* bad : {"", "[]", "{}", R"({"services":1})", R"({"services":[1]})"})
    EXPECT_FALSE(parse_services(bad).has_value()) << bad;
}

class ReadyAtTheThirdTry : public wire::Handler {
 public:
  io::Task<wire::Response> handle(const wire::Request& request) override {
    wire::Response out;
    out.status = request.target.path() == "/readyz" && ++asked >= 3 ? 200 : 503;
    co_return out;
  }
  int asked = 0;
};

io::Task<void> wait_until_ready(GatewayProcess& gateway, io::Loop& loop, io::Network& network,
                                Result<void>& out) {
  out = co_await gateway.ready(loop, network, loop.now() + 10s);
}

// A shell script in the gateway's place: what is tested here is the harness.
std::string script(const Folder& folder, const std::string& text) {
  const std::string path = folder / "gateway.sh";
  FILE* file = fopen(path.c_str(), "w");
  fputs(("#!/bin/sh\n" + text).c_str(), file);
  fclose(file);
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

TEST(GatewayProcess, IsReadyOnceItSaidWhereItListensAndReadyzAnswers) {
  const Folder folder;
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  ReadyAtTheThirdTry handler;
  const auto socket = io::ListenSocket::open({.host = "127.0.0.1"});
  io::SocketAcceptor acceptor(loop, *socket);
  wire::Server server(loop, handler, {});
  io::TaskGroup tasks;
  tasks.spawn(server.accept_from(acceptor));

  const std::string admin = to_string(socket->address());
  GatewayProcess gateway(
      {.binary = script(folder, R"(echo '{"msg":"hello","address":"127.0.0.1:1","for":"clients"}'
echo '{"time":"t","level":"info","msg":"listening","address":"127.0.0.1:4711","for":"clients"}'
echo '{"time":"t","level":"info","msg":"listening","address":")" +
                                    admin + R"(","for":"admin"}'
exec sleep 600
)"),
       .config_file = "unused",
       .log_file = folder / "log"});
  ASSERT_TRUE(gateway.start().has_value());
  Result<void> ready = fail(Code::timeout);
  io::run_until_done(loop, wait_until_ready(gateway, loop, network, ready));
  EXPECT_TRUE(ready.has_value());
  EXPECT_EQ(to_string(gateway.clients()), "127.0.0.1:4711");
  EXPECT_EQ(to_string(gateway.admin()), admin);
  EXPECT_EQ(handler.asked, 3);
  EXPECT_THAT(gateway.processes(), testing::ElementsAre(gateway.pid()));
  gateway.kill();
  EXPECT_FALSE(gateway.running());
  EXPECT_THAT(gateway.processes(), testing::IsEmpty());
}

TEST(GatewayProcess, ThatEndsDoesNotBecomeReady) {
  const Folder folder;
  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  GatewayProcess gateway({.binary = script(folder, "echo sorry; exit 2\n"),
                          .config_file = "unused",
                          .log_file = folder / "log"});
  ASSERT_TRUE(gateway.start().has_value());
  Result<void> ready;
  io::run_until_done(loop, wait_until_ready(gateway, loop, network, ready));
  ASSERT_FALSE(ready.has_value());
  EXPECT_EQ(ready.error().code, Code::closed);
  EXPECT_EQ(gateway.log(), "sorry\n");
}

}  // namespace
}  // namespace stateway::lab
