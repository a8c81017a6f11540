#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "io/sockets.h"
#include "upstream/test_service.h"
#include "wire/server.h"

namespace stateway::upstream::test {
namespace {

class Answers final : public wire::Handler {
 public:
  explicit Answers(std::string sick) : sick_(std::move(sick)) {}
  io::Task<wire::Response> handle(const wire::Request& request) override {
    wire::Response out;
    if (request.head.target == "/healthz") {
      if (!sick_.empty() && access(sick_.c_str(), F_OK) == 0) out.status = 503;
    } else if (request.head.target == "/pid") {
      out.body = std::to_string(getpid());
    } else if (request.head.target == "/token") {
      const char* token = getenv("STATEWAY_TOKEN");
      out.body = token != nullptr ? token : "";
    } else {
      out.status = 404;
    }
    co_return out;
  }

 private:
  std::string sick_;
};

}  // namespace

int serve(const std::vector<std::string>& words) {
  std::string sick;
  for (const std::string& word : words) {
    if (word == "crash") return 7;
    if (word.starts_with("crash_if=") && access(word.c_str() + 9, F_OK) == 0) return 7;
    if (word == "deaf") signal(SIGTERM, SIG_IGN);
    // tidy: sleep: it plays a process that takes its time.
    if (word == "slow_end") signal(SIGTERM, [](int) { usleep(200'000), _exit(0); });
    if (word.starts_with("sick=")) sick = word.substr(5);
    if (word.starts_with("say=")) std::fputs(word.substr(4).c_str(), stdout);
  }
  std::fflush(stdout);
  const char* socket = getenv("SOCKET");
  const char* port = getenv("PORT");
  const std::string where =
      socket != nullptr ? std::string("unix:") + socket : std::string("127.0.0.1:") + port;
  auto listening = io::ListenSocket::open(*parse_address(where));
  if (!listening) return 1;
  io::EpollLoop loop;
  io::SocketAcceptor acceptor(loop, *listening);
  Answers answers(sick);
  wire::Server server(loop, answers, {});
  io::TaskGroup tasks;
  tasks.spawn(server.accept_from(acceptor));
  loop.run();
  return 0;
}

ServiceOptions service_options(unsigned count, std::vector<std::string> words) {
  ServiceOptions out;
  out.name = "shop";
  out.command = {"/proc/self/exe", "--serve"};
  out.command.insert(out.command.end(), words.begin(), words.end());
  out.count = count;
  out.socket = true;
  out.timeout.connect = std::chrono::milliseconds(5'000);  // sanitizers on a busy machine
  out.health = HealthOptions{.path = "/healthz",
                             .interval = std::chrono::milliseconds(20),
                             .timeout = std::chrono::milliseconds(5'000),
                             .fall = 2,
                             .rise = 2};
  return out;
}

}  // namespace stateway::upstream::test

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--serve")
    return stateway::upstream::test::serve(std::vector<std::string>(argv + 2, argv + argc));
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
