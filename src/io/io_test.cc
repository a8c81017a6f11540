#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <mutex>

#include "base/bytes.h"
#include "io/cancellable.h"
#include "io/fd_stream.h"
#include "io/guardian.h"
#include "io/process.h"
#include "io/signals.h"
#include "io/sockets.h"
#include "io/test_loop.h"
#include "io/wait_queue.h"

namespace stateway::io {
namespace {

Task<void> wait_on(WaitQueue& queue, TimePoint deadline, std::string& trace, char name) {
  const auto woken = co_await queue.wait(deadline);
  trace.push_back(woken ? name : static_cast<char>(name - 'a' + 'A'));
}

TEST(WaitQueue, WakesInOrderAndTimesOutTheRest) {
  EpollLoop loop;
  WaitQueue queue(loop);
  std::string trace;
  TaskGroup group;
  for (const char name : {'a', 'b', 'c'})
    group.spawn(wait_on(queue, loop.now() + (name - 'a' + 1) * 5ms, trace, name));
  EXPECT_EQ(queue.wake(), 1u);
  EXPECT_EQ(trace, "a");
  struct Body {
    static Task<void> run(TaskGroup& g) { co_await g.drained(); }
  };
  run_until_done(loop, Body::run(group));
  EXPECT_EQ(trace, "aBC");
}

TEST(WaitQueue, ADestroyedWaiterLeaves) {
  EpollLoop loop;
  WaitQueue queue(loop);
  std::string trace;
  {
    TaskGroup group;
    group.spawn(wait_on(queue, loop.now() + 10s, trace, 'a'));
    EXPECT_EQ(queue.size(), 1u);
  }
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(trace, "");
}

Task<Result<int>> sleep_then(Loop& loop, Duration d, int value) {
  co_await sleep_for(loop, d);  // tidy: sleep: something that lasts is what is cancelled
  co_return value;
}

TEST(Cancellable, EndsTheChildAndTellsTheParent) {
  EpollLoop loop;
  CancelScope scope;
  TaskGroup group;
  Result<int> seen = 0;
  struct Body {
    static Task<void> run(Loop& l, Duration d, CancelScope& s, Result<int>& out) {
      out = co_await cancellable(sleep_then(l, d, 7), s);
    }
  };
  group.spawn(Body::run(loop, 10s, scope, seen));
  ASSERT_TRUE(scope.active());
  scope.cancel();
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, Code::cancelled);
  EXPECT_EQ(group.running(), 0u);

  run_until_done(loop, Body::run(loop, 1ms, scope, seen));
  ASSERT_TRUE(seen);
  EXPECT_EQ(*seen, 7);
  EXPECT_FALSE(scope.active());
}

TEST(Worker, AnswersOnTheCallersLoop) {
  EpollLoop loop;
  Worker worker("test-worker");
  struct Body {
    static Task<void> run(EpollLoop& l, Worker& w) {
      const pthread_t here = pthread_self();
      auto job = [] { return pthread_self(); };
      auto call = w.run(l, job);
      const pthread_t there = co_await call;
      EXPECT_NE(here, there);
      EXPECT_EQ(here, pthread_self());
    }
  };
  run_until_done(loop, Body::run(loop, worker));
}

// One echo exchange over a listener of each kind, then the deadline of a read that gets nothing.
Task<void> echo_exchange(EpollLoop& loop, Worker& worker, const ListenSocket& socket) {
  SocketAcceptor acceptor(loop, socket);
  SocketNetwork network(loop, worker);
  auto connected = co_await network.connect(socket.address(), loop.now() + 5s);
  EXPECT_TRUE(connected) << connected.error().context;
  if (!connected) co_return;
  auto accepted = co_await acceptor.accept();
  EXPECT_TRUE(accepted);
  Stream& client = **connected;
  Stream& server = *accepted->stream;

  std::string big(3'000'000, 'x');  // more than any socket buffer: the writer must wait for the reader
  TaskGroup writer;
  struct Writer {
    static Task<void> run(Stream& s, std::string& bytes) {
      const auto written = co_await s.write_all(bytes, s.loop().now() + 5s);
      EXPECT_TRUE(written);
      s.shutdown_write();
    }
  };
  writer.spawn(Writer::run(client, big));
  std::string got;
  char buffer[65536];
  for (;;) {
    const auto n = co_await server.read_some(buffer, loop.now() + 5s);
    EXPECT_TRUE(n);
    if (!n || *n == 0) break;
    got.append(buffer, *n);
  }
  EXPECT_EQ(got, big);
  EXPECT_TRUE(server.hung_up());

  const auto late = co_await client.read_some(buffer, loop.now() + 5ms);
  EXPECT_FALSE(late);
  if (!late) EXPECT_EQ(late.error().code, Code::timeout);
  accepted->stream.reset();
  const auto end = co_await client.read_some(buffer, loop.now() + 5s);
  EXPECT_TRUE(end && *end == 0);
}

TEST(Sockets, EchoOverTcp) {
  EpollLoop loop;
  Worker worker("resolver");
  auto socket = ListenSocket::open(*parse_address("127.0.0.1:0"));
  ASSERT_TRUE(socket);
  EXPECT_NE(socket->address().port, 0);
  run_until_done(loop, echo_exchange(loop, worker, *socket));
}

TEST(Sockets, EchoOverUnixSocketAndTakesOverAStaleFile) {
  EpollLoop loop;
  Worker worker("resolver");
  const std::string path = testing::TempDir() + "/stateway-io-test-" + std::to_string(getpid()) + ".sock";
  const Address address = *parse_address("unix:" + path);
  const pid_t child = fork();
  if (child == 0) {  // dies with its socket file in place
    auto socket = ListenSocket::open(address);
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  ASSERT_EQ(access(path.c_str(), F_OK), 0);
  auto socket = ListenSocket::open(address);
  ASSERT_TRUE(socket) << socket.error().context;
  run_until_done(loop, echo_exchange(loop, worker, *socket));
  EXPECT_FALSE(ListenSocket::open(address)) << "a live listener was taken over";
}

Task<void> connect_fails(EpollLoop& loop, Worker& worker, std::string to) {
  SocketNetwork network(loop, worker);
  const auto refused = co_await network.connect(*parse_address(to), loop.now() + 10s);
  EXPECT_FALSE(refused);
  if (refused) co_return;
  EXPECT_EQ(refused.error().code, Code::connect_failed) << refused.error().context;
  EXPECT_EQ(refused.error().retry, Retry::always);
}

TEST(Sockets, RefusedConnectsSaySo) {
  EpollLoop loop;
  Worker worker("resolver");
  std::string closed;
  {
    auto socket = ListenSocket::open(*parse_address("127.0.0.1:0"));
    closed = to_string(socket->address());
  }
  run_until_done(loop, connect_fails(loop, worker, closed));
  EpollLoop second;
  run_until_done(second, connect_fails(second, worker, "unix:/nonexistent/stateway.sock"));
  EpollLoop third;
  run_until_done(third, connect_fails(third, worker, "no-such-host.invalid:80"));
}

Task<void> looks_up_by_name(EpollLoop& loop, Worker& worker, std::mutex& held, const ListenSocket& socket) {
  SocketNetwork network(loop, worker);
  Address by_name = socket.address();
  by_name.host = "localhost";
  const auto connected = co_await network.connect(by_name, loop.now() + 10s);
  EXPECT_TRUE(connected) << connected.error().context;

  // The worker is held: a look-up that cannot end in time does not hold its caller, and is not the peer's
  // fault.
  held.lock();
  struct Hold final : Worker::Job {
    explicit Hold(std::mutex& m) : mutex(m) {}
    void run() override {
      const std::lock_guard lock(mutex);
      delete this;
    }
    std::mutex& mutex;
  };
  worker.submit(new Hold(held));
  by_name.host = "elsewhere.localhost";
  const auto late = co_await network.connect(by_name, loop.now() + 5ms);
  held.unlock();
  EXPECT_FALSE(late);
  if (late) co_return;
  EXPECT_EQ(late.error().code, Code::connect_timeout);
  EXPECT_EQ(late.error().side, Side::self);
}

TEST(Sockets, NamesAreLookedUpWithinTheDeadline) {
  EpollLoop loop;
  std::mutex held;  // outlives the worker's use of it
  Worker worker("resolver");
  auto socket = ListenSocket::open(*parse_address("127.0.0.1:0"));
  ASSERT_TRUE(socket);
  run_until_done(loop, looks_up_by_name(loop, worker, held, *socket));
}

Task<void> process_speaks_and_ends(EpollLoop& loop) {
  Command command;
  command.words = {"sh", "-c", "echo \"hello $NAME\"; exit 3"};
  command.environment = {{"NAME", "instance"}};
  auto process = Process::start(loop, command, nullptr);
  EXPECT_TRUE(process);
  char buffer[256];
  const auto n = co_await (*process)->output().read_some(buffer, loop.now() + 5s);
  EXPECT_TRUE(n);
  EXPECT_EQ(std::string(buffer, *n), "hello instance\n");
  const auto ended = co_await (*process)->exited(loop.now() + 5s);
  EXPECT_TRUE(ended);
  EXPECT_EQ(ended->status, 3);
  EXPECT_EQ(ended->signal, 0);

  command.words = {"/nonexistent/program"};
  const auto missing = Process::start(loop, command, nullptr);
  EXPECT_FALSE(missing);
  EXPECT_EQ(missing.error().context, "cannot start '/nonexistent/program': No such file or directory");
}

TEST(Process, OutputEnvironmentAndExitStatus) {
  EpollLoop loop;
  run_until_done(loop, process_speaks_and_ends(loop));
}

Task<void> process_is_killed(EpollLoop& loop) {
  Command command;
  command.words = {"sh", "-c", "sleep 1000 & echo ready; wait"};
  auto process = Process::start(loop, command, nullptr);
  EXPECT_TRUE(process);
  char buffer[64];
  const auto n = co_await (*process)->output().read_some(buffer, loop.now() + 5s);
  EXPECT_TRUE(n);
  const auto running = co_await (*process)->exited(loop.now() + 1ms);
  EXPECT_EQ(running.error().code, Code::timeout);
  (*process)->signal(SIGTERM);
  const auto ended = co_await (*process)->exited(loop.now() + 5s);
  EXPECT_EQ(ended->signal, SIGTERM);
  // The pipe ends only when the background child, which shares it, is gone too.
  const auto end = co_await (*process)->output().read_some(buffer, loop.now() + 5s);
  EXPECT_TRUE(end && *end == 0);
}

TEST(Process, ItsWholeGroupGoesWithIt) {
  EpollLoop loop;
  run_until_done(loop, process_is_killed(loop));
}

// A gateway is played by a child of ours that starts a guardian and an instance, and is then killed.
Task<void> start_guarded(EpollLoop& loop, const Guardian& guardian) {
  Command command;
  command.words = {"sh", "-c", "echo $$; exec sleep 1000"};
  auto process = Process::start(loop, command, &guardian);
  char buffer[64];
  const auto n = co_await (*process)->output().read_some(buffer, loop.now() + 5s);
  if (write(1, buffer, *n) < 0) _exit(1);
  kill(getpid(), SIGKILL);
}

TEST(Guardian, KillsWhatAKilledGatewayLeavesAndRemovesItsFolder) {
  const std::string folder = testing::TempDir() + "/stateway-guard-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  std::ofstream(folder + "/left.sock") << "x";
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t gateway = fork();
  if (gateway == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    auto guardian = Guardian::start(folder);
    kill(guardian->pid(), SIGTERM);  // as `pkill stateway` would
    EpollLoop loop;
    run_until_done(loop, start_guarded(loop, *guardian));
    _exit(1);
  }
  close(ends[1]);
  std::string said;
  char buffer[64];
  // The pipe ends when the gateway is dead; the instance and the guardian do not hold it.
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(gateway, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto instance =
      static_cast<pid_t>(parse_decimal(said.substr(0, said.find_first_not_of("0123456789"))).value_or(0));
  ASSERT_GT(instance, 1);
  bool gone = false;
  for (int i = 0; i < 2000 && !gone; ++i) {  // polls with a deadline: the guardian is another process
    std::ifstream stat("/proc/" + std::to_string(instance) + "/stat");
    std::string line;
    std::getline(stat, line);
    gone = (line.empty() || line.find(") Z ") != std::string::npos) && access(folder.c_str(), F_OK) != 0;
    usleep(5000);  // tidy: sleep: between two looks
  }
  EXPECT_TRUE(gone);
}

Task<void> reads_a_signal(EpollLoop& loop) {
  SignalSource source(loop, {SIGUSR1});
  kill(getpid(), SIGUSR1);
  const int number = co_await source.next();
  EXPECT_EQ(number, SIGUSR1);
}

TEST(Signals, ArriveAsEvents) {
  block_signals({SIGUSR1});
  EpollLoop loop;
  run_until_done(loop, reads_a_signal(loop));
}

TEST(Loop, MailArrivesInOrderAndIsDeletedIfNotRead) {
  auto counted = std::make_shared<int>(0);
  {
    EpollLoop loop;
    std::vector<int> order;
    std::thread sender([&] {
      for (int i = 0; i < 1000; ++i) post(loop, [&order, i] { order.push_back(i); });
      post(loop, [&loop] { loop.stop(); });
    });
    loop.run();
    sender.join();
    ASSERT_EQ(order.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    post(loop, [counted] { ++*counted; });
  }
  EXPECT_EQ(*counted, 0);
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace stateway::io
