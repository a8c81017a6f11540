// Two ends of TLS on one simulated network.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "io/sim/certificates.h"
#include "io/sim/network.h"
#include "io/test_loop.h"
#include "io/tls.h"
#include "io/tls_stream.h"

namespace stateway::io {

/// A file that is gone with its test.
class TestFile {
 public:
  explicit TestFile(const std::string& content)
      : path_(testing::TempDir() + "/stateway-tls-XXXXXX"), fd_(mkstemp(path_.data())) {
    EXPECT_EQ(write(fd_, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  ~TestFile() {
    close(fd_);
    std::remove(path_.c_str());
  }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
};

struct TlsWorld {
  static constexpr std::string_view kName = "redis.example";

  explicit TlsWorld(const Faults& faults = {}, std::uint64_t seed = 1)
      : random(seed), loop(random, faults), network(loop, random, faults) {
    serve(authority().issue({std::string(kName), "10.0.0.2"}));
    trust(authority().certificate());
  }

  /// One for all tests: a key takes longer than the rest.
  static TestAuthority& authority() {
    static TestAuthority one;
    return one;
  }
  void serve(const TestCertificate& certificate) {
    auto made = TlsServer::make(certificate.certificate, certificate.key);
    ASSERT_TRUE(made.has_value()) << made.error().what;
    server_side = *made;
  }
  void trust(const std::string& certificates) {
    const TestFile file(certificates);
    auto opened = TlsClient::open(file.path());
    ASSERT_TRUE(opened.has_value()) << opened.error().context;
    client_side = *opened;
  }
  void run(Task<void> task) { run_until_done(loop, std::move(task), 24 * 3600s); }
  TimePoint later() const { return loop.now() + 3600s; }

  SeededRandom random;
  SimLoop loop;
  SimNetwork network;
  SimHost client{network, "10.0.0.1"};
  SimHost server{network, "10.0.0.2"};
  std::shared_ptr<const TlsServer> server_side;
  std::shared_ptr<const TlsClient> client_side;
};

/// Both ends of a connection, and what their handshakes said.
struct TlsPair {
  std::unique_ptr<TlsStream> near, far;  // client, server
  Result<void> near_result, far_result;
};

inline Task<void> shake(TlsStream& stream, TimePoint deadline, Result<void>& result) {
  result = co_await stream.handshake(deadline);
}

/// Connects without TLS.
inline Task<void> connect_plain(TlsWorld& w, std::unique_ptr<Stream>& near, std::unique_ptr<Stream>& far) {
  const Address at{.host = "10.0.0.2", .port = 6379};
  auto acceptor = w.server.listen(at);
  auto connected = co_await w.client.connect(at, w.later());
  EXPECT_TRUE(connected.has_value());
  auto accepted = co_await acceptor->accept();
  EXPECT_TRUE(accepted.has_value());
  near = std::move(*connected);
  far = std::move(accepted->stream);
}

/// Connects and shakes hands, the client expecting `name`.
inline Task<void> connect_pair(TlsWorld& w, TlsPair& pair, std::string name = std::string(TlsWorld::kName)) {
  std::unique_ptr<Stream> near, far;
  co_await connect_plain(w, near, far);
  const Address peer{.host = std::move(name), .port = 6379};
  pair.near = w.client_side->over(std::move(near), peer);
  pair.far = w.server_side->over(std::move(far));
  TaskGroup server;
  server.spawn(shake(*pair.far, w.later(), pair.far_result));
  pair.near_result = co_await pair.near->handshake(w.later());
  if (!pair.near_result) pair.near->abort();
  co_await server.drained();
}

}  // namespace stateway::io
