#include "io/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "io/sim/test_tls.h"

namespace stateway::io {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kNoise = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

TEST(TlsServer, RefusesWhatItCannotUse) {
  const TestAuthority& authority = TlsWorld::authority();
  const TestCertificate good = authority.issue({"a.example"});
  const TestCertificate other = authority.issue({"a.example"});
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  struct Row {
    std::string certificate, key;
    TlsFault::In in;
    std::string what;
  };
  using enum TlsFault::In;
  const Row rows[] = {
      {"", good.key, certificate, "holds no certificate in PEM form"},
      {good.key, good.key, certificate, "holds no certificate in PEM form"},
      {kNoise, good.key, certificate, "holds a certificate that cannot be read: "},
      {good.certificate + kNoise, good.key, certificate, "holds a certificate that cannot be read: "},
      {good.certificate, "", key, "holds no private key in PEM form"},
      {good.certificate, good.certificate, key, "holds no private key in PEM form"},
      {good.certificate, encrypted, key, "is encrypted: Stateway cannot ask for a passphrase"},
      {good.certificate, other.key, key, "is not the key of the certificate"},
  };
  for (const Row& row : rows) {
    const auto made = TlsServer::make(row.certificate, row.key);
    ASSERT_FALSE(made.has_value()) << row.what;
    EXPECT_EQ(made.error().in, row.in) << row.what;
    EXPECT_THAT(made.error().what, StartsWith(row.what));
  }
  EXPECT_TRUE(TlsServer::make(good.certificate, good.key).has_value());
  EXPECT_TRUE(TlsServer::make(good.certificate + authority.certificate(), good.key).has_value());
}

TEST(TlsClient, SaysWhyItCannotReadTheAuthorities) {
  const auto missing = TlsClient::open("/nonexistent/ca.pem");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::invalid_argument);
  EXPECT_EQ(missing.error().context, "/nonexistent/ca.pem: No such file or directory");

  for (const std::string& content : {std::string(), std::string("no certificate\n"), kNoise}) {
    const TestFile file(content);
    const auto opened = TlsClient::open(file.path());
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().context, file.path() + ": holds no certificate in PEM form");
  }
  EXPECT_TRUE(TlsClient::open("").has_value());
}

// Whom the client takes for whom.
struct Trust {
  std::vector<std::string> names;  // in the certificate
  std::string expected;
  bool good;
};

TEST(TlsClient, TakesOnlyACertificateForTheNameThatItConnectsTo) {
  const Trust rows[] = {
      {{"redis.example"}, "redis.example", true},
      {{"other.example", "redis.example"}, "redis.example", true},
      {{"other.example"}, "redis.example", false},
      {{"*.shop.example"}, "redis.shop.example", true},
      {{"r*.shop.example"}, "redis.shop.example", false},
      {{"*.shop.example"}, "a.redis.shop.example", false},
      {{"10.0.0.2"}, "10.0.0.2", true},
      {{"10.0.0.3"}, "10.0.0.2", false},
      {{"fd00::1"}, "fd00::1", true},
      {{"fd00::2"}, "fd00::1", false},
      {{"redis.example"}, "10.0.0.2", false},  // an address is no name
      {{"10.0.0.2"}, "redis.example", false},
  };
  for (const Trust& row : rows) {
    TlsWorld w;
    w.serve(TlsWorld::authority().issue(row.names));
    TlsPair pair;
    w.run(connect_pair(w, pair, row.expected));
    EXPECT_EQ(pair.near_result.has_value(), row.good) << row.names[0] << " for " << row.expected;
    EXPECT_EQ(pair.far_result.has_value(), row.good);
    if (pair.near_result) continue;
    EXPECT_EQ(pair.near_result.error().code, Code::certificate_name) << pair.near_result.error().context;
    EXPECT_EQ(pair.near_result.error().retry, Retry::never);
    EXPECT_EQ(pair.far_result.error().code, Code::tls_failed);
  }
}

TEST(TlsClient, TakesNoCertificateThatNobodyVouchesForOrThatHasRunOut) {
  const TestAuthority stranger("A stranger");
  const std::pair<TestCertificate, std::string> rows[] = {
      {stranger.issue({std::string(TlsWorld::kName)}), "unable to get local issuer certificate"},
      {TlsWorld::authority().issue({std::string(TlsWorld::kName)}, 0), "certificate has expired"},
  };
  for (const auto& [certificate, why] : rows) {
    TlsWorld w;
    w.serve(certificate);
    TlsPair pair;
    w.run(connect_pair(w, pair));
    ASSERT_FALSE(pair.near_result.has_value());
    EXPECT_EQ(pair.near_result.error().code, Code::certificate_untrusted);
    EXPECT_EQ(pair.near_result.error().context,
              "the certificate of redis.example:6379 is not trusted: " + why);
    EXPECT_FALSE(pair.far_result.has_value());
  }
}

Task<void> settle(TlsWorld& w) {
  co_await sleep_for(w.loop, 1s);  // until the tickets have come
}

Task<void> connect_again(TlsWorld& w, bool& near_resumed, bool& far_resumed) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  EXPECT_TRUE(pair.near_result.has_value());
  EXPECT_TRUE(pair.far_result.has_value());
  if (!pair.near_result || !pair.far_result) co_return;
  co_await settle(w);
  near_resumed = pair.near->resumed();
  far_resumed = pair.far->resumed();
}

TEST(TlsSessions, AreResumedAtTheSamePeer) {
  TlsWorld w;
  bool near = true, far = true;
  w.run(connect_again(w, near, far));
  EXPECT_FALSE(near || far);
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    near = far = false;
    w.run(connect_again(w, near, far));
    EXPECT_TRUE(near && far);
  }
  // Somebody else at that address, who cannot read the ticket: a whole handshake.
  w.serve(TlsWorld::authority().issue({std::string(TlsWorld::kName)}));
  w.run(connect_again(w, near, far));
  EXPECT_FALSE(near || far);
  w.run(connect_again(w, near, far));
  EXPECT_TRUE(near && far);
}

Task<void> connect_under(TlsWorld& w, std::string name, bool& resumed) {
  TlsPair pair;
  co_await connect_pair(w, pair, std::move(name));
  EXPECT_TRUE(pair.near_result.has_value());
  co_await settle(w);
  resumed = pair.near->resumed();
}

TEST(TlsSessions, AreNotResumedUnderAnotherName) {
  TlsWorld w;
  bool resumed = true;
  w.run(connect_under(w, "redis.example", resumed));
  w.run(connect_under(w, "10.0.0.2", resumed));
  EXPECT_FALSE(resumed);
  w.run(connect_under(w, "redis.example", resumed));
  EXPECT_TRUE(resumed);
}

// A connection that broke says nothing against its session.
Task<void> connect_and_break(TlsWorld& w) {
  TlsPair pair;
  co_await connect_pair(w, pair);
  co_await settle(w);
  pair.near->abort();
}

TEST(TlsSessions, OutliveABrokenConnection) {
  TlsWorld w;
  w.run(connect_and_break(w));
  bool near = false, far = false;
  w.run(connect_again(w, near, far));
  EXPECT_TRUE(near && far);
}

Task<void> talk_plainly(TlsWorld& w, std::string words, bool end, Result<void>& near, Result<void>& far,
                        bool& http) {
  std::unique_ptr<Stream> a, b;
  co_await connect_plain(w, a, b);
  if (words.starts_with("GET")) {  // a client without TLS
    const auto server = w.server_side->over(std::move(b));
    (void)co_await a->write_all(words, w.later());
    far = co_await server->handshake(w.loop.now() + 1s);
    http = server->got_http();
    if (http) server->end_in_clear("this is TLS");
    char answer[64];
    const auto n = co_await a->read_some(answer, w.later());
    EXPECT_TRUE(n.has_value());
    if (n && http) EXPECT_EQ(std::string_view(answer, *n), "this is TLS");
    co_return;
  }
  const auto client = w.client_side->over(std::move(a), {.host = "redis.example", .port = 6379});
  (void)co_await b->write_all(words, w.later());
  if (end) b->shutdown_write();
  near = co_await client->handshake(w.loop.now() + 1s);
}

TEST(TlsHandshake, SaysWhenThePeerDoesNotSpeakTls) {
  struct Row {
    std::string words;
    bool end;
    Code code;
    std::string context;
  };
  const Row rows[] = {
      {"-ERR unknown command\r\n", false, Code::tls_failed, "TLS handshake: the peer does not speak TLS"},
      {"HTTP/1.1 400 Bad Request\r\n\r\n", true, Code::tls_failed,
       "TLS handshake: the peer does not speak TLS"},
      {"", true, Code::tls_failed, "TLS handshake: the peer ended the connection"},
      {"-", false, Code::timeout, ""},
  };
  for (const Row& row : rows) {
    TlsWorld w;
    Result<void> near, far;
    bool http = false;
    w.run(talk_plainly(w, row.words, row.end, near, far, http));
    ASSERT_FALSE(near.has_value()) << row.words;
    EXPECT_EQ(near.error().code, row.code) << near.error().context;
    EXPECT_EQ(near.error().context, row.context);
  }
  TlsWorld w;
  Result<void> near, far;
  bool http = false;
  w.run(talk_plainly(w, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, near, far, http));
  ASSERT_FALSE(far.has_value());
  EXPECT_EQ(far.error().code, Code::tls_failed);
  EXPECT_TRUE(http);
}

Task<void> connect_through(TlsWorld& w, bool answer, Result<std::unique_ptr<Stream>>& connected) {
  const Address at{.host = "10.0.0.2", .port = 6379};
  auto acceptor = w.server.listen(at);
  struct Accept {
    static Task<void> run(TlsWorld& world, Acceptor& from, bool shakes, TlsPair& to) {
      auto accepted = co_await from.accept();
      to.far = world.server_side->over(std::move(accepted->stream));
      if (shakes) to.far_result = co_await to.far->handshake(world.later());
    }
  };
  TlsPair pair;
  TaskGroup server;
  server.spawn(Accept::run(w, *acceptor, answer, pair));
  connected = co_await connect_tls(w.client, w.client_side, at, w.loop.now() + 2s);
  co_await server.drained();
}

TEST(ConnectTls, ConnectsAndShakesHandsByOneDeadline) {
  TlsWorld w;
  Result<std::unique_ptr<Stream>> connected = fail(Code::internal);
  w.run(connect_through(w, true, connected));
  EXPECT_TRUE(connected.has_value()) << connected.error().context;

  const TimePoint began = w.loop.now();
  w.run(connect_through(w, false, connected));
  ASSERT_FALSE(connected.has_value());
  EXPECT_EQ(connected.error().code, Code::connect_timeout);
  EXPECT_EQ(connected.error().retry, Retry::always);
  EXPECT_GE(w.loop.now(), began + 2s);
  EXPECT_LT(w.loop.now(), began + 3s);
}

}  // namespace
}  // namespace stateway::io
