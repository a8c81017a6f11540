// For tests: a network whose connects the test decides, and a way to wait for a condition on a loop.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "io/fd_stream.h"
#include "io/network.h"
#include "io/test_loop.h"

namespace stateway::upstream::test {

/// Connects to any address unless told otherwise; the other ends belong to the network and say nothing.
class ScriptedNetwork final : public io::Network {
 public:
  explicit ScriptedNetwork(io::EpollLoop& loop) : loop_(loop) {}
  ~ScriptedNetwork() override { close_peers(); }

  io::Task<Result<std::unique_ptr<io::Stream>>> connect(const Address& to, TimePoint) override {
    ++connects;
    if (const auto it = failures.find(to_string(to)); it != failures.end())
      co_return std::unexpected<Error>(it->second);
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peers_.push_back(ends[1]);
    co_return std::make_unique<io::FdStream>(loop_, ends[0], io::FdStream::Kind::unix_socket);
  }
  io::Task<Result<std::vector<Address>>> resolve(Address name, TimePoint) override {
    ++look_ups;
    const auto it = names.find(to_string(name));
    if (it == names.end())
      co_return fail(Code::connect_failed, Side::upstream, "no such name", Retry::always);
    std::vector<Address> out;
    for (const std::string& text : it->second) out.push_back(parse_address(text).value());
    co_return out;
  }
  void close_peers() {
    for (const int fd : peers_) close(fd);
    peers_.clear();
  }

  std::map<std::string, Error> failures;                  // by address
  std::map<std::string, std::vector<std::string>> names;  // by name and port
  int connects = 0;
  int look_ups = 0;

 private:
  io::EpollLoop& loop_;
  std::vector<int> peers_;
};

namespace detail {
inline io::Task<void> poll(io::Loop& loop, const std::function<bool()>& holds, bool& seen, Duration limit) {
  const TimePoint end = loop.now() + limit;
  while (!(seen = holds()) && loop.now() < end) co_await io::sleep_for(loop, 1ms);
}
}  // namespace detail

/// For coroutines: waits until `holds`; false, and a failure of the test, after `limit`. `holds` must live
/// until then.
inline io::Task<bool> eventually(io::Loop& loop, const std::function<bool()>& holds, Duration limit = 15s) {
  bool seen = false;
  co_await detail::poll(loop, holds, seen, limit);
  EXPECT_TRUE(seen) << "did not happen in time";
  co_return seen;
}

}  // namespace stateway::upstream::test
