// HTTPS: what clients get over TLS, what becomes of those who do not speak it, and certificates that change.
#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <optional>
#include <string>

#include "io/sim/certificates.h"
#include "io/sockets.h"
#include "io/test_loop.h"
#include "io/tls_stream.h"
#include "pattern.h"
#include "site.h"
#include "wire/client.h"

namespace stateway::scenario {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kName = "127.0.0.1";

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// A client that trusts one authority; one connection at a time.
class Visitor {
 public:
  explicit Visitor(const std::string& authorities_file) {
    auto opened = io::TlsClient::open(authorities_file);
    EXPECT_TRUE(opened.has_value());
    if (opened) tls_ = *opened;
  }
  /// Error of the connect or handshake.
  Result<void> connect(const Address& to) {
    client_.reset();
    Result<void> out;
    run(connect_to(to, out));
    return out;
  }
  wire::ClientResponse ask(const wire::ClientRequest& request) {
    wire::ClientResponse out;
    run(exchange(request, out));
    return out;
  }
  wire::ClientResponse get(std::string_view target) {
    return ask({.target = target, .fields = {}, .body = {}});
  }
  bool resumed() const { return stream_->resumed(); }
  /// Until the gateway has ended the connection. Whether it did so cleanly.
  bool ends_cleanly() {
    bool out = false;
    run(read_end(out));
    return out;
  }
  /// Writes, then reads so many octets.
  std::string talk(const std::string& octets, std::size_t answer) {
    std::string out;
    run(write_and_read(octets, answer, out));
    return out;
  }

 private:
  void run(io::Task<void> task) { io::run_until_done(loop_, std::move(task), 60s); }
  TimePoint later() const { return loop_.now() + 30s; }

  io::Task<void> connect_to(Address to, Result<void>& out) {
    auto connected = co_await network_.connect(to, later());
    if (!connected) {
      out = pass_on(std::move(connected));
      co_return;
    }
    auto stream = tls_->over(std::move(*connected), to);
    stream_ = stream.get();
    out = co_await stream->handshake(later());
    client_.emplace(std::move(stream), wire::Client::Limits{});
  }
  io::Task<void> exchange(const wire::ClientRequest& request, wire::ClientResponse& out) {
    auto answered = co_await client_->exchange(request, later());
    EXPECT_TRUE(answered.has_value()) << answered.error().context;
    if (answered) out = std::move(*answered);
  }
  io::Task<void> read_end(bool& out) {
    char octet;
    const auto n = co_await stream_->read_some({&octet, 1}, later());
    out = n && *n == 0;
  }
  io::Task<void> write_and_read(const std::string& octets, std::size_t answer, std::string& out) {
    EXPECT_TRUE((co_await stream_->write_all(octets, later())).has_value());
    char buffer[4096];
    while (out.size() < answer) {
      const auto n =
          co_await stream_->read_some({buffer, std::min(sizeof buffer, answer - out.size())}, later());
      if (!n || *n == 0) break;
      out.append(buffer, *n);
    }
  }

  io::EpollLoop loop_;
  io::Worker worker_{"resolver"};
  io::SocketNetwork network_{loop_, worker_};
  std::shared_ptr<const io::TlsClient> tls_;
  io::TlsStream* stream_ = nullptr;
  std::optional<wire::Client> client_;
};

class TlsTest : public Site {
 protected:
  TlsTest() {
    write_file(authority_file(), authority_.certificate());
    show(authority_.issue({std::string(kName)}));
  }
  void show(const io::TestCertificate& certificate) const {
    write_file(folder / "shop.pem", certificate.certificate);
    write_file(folder / "shop.key", certificate.key);
  }
  std::string authority_file() const { return folder / "ca.pem"; }
  static std::string config() {
    std::string out = origin_config();
    const std::string_view address = "address = \"@CLIENTS@\"\n";
    out.insert(out.find(address) + address.size(),
               "tls = { cert = \"@DIR@/shop.pem\", key = \"@DIR@/shop.key\" }\n");
    return out;
  }
  std::string status() { return ask_admin("/v1/status").body; }
  // Exit status of a shell command; all that it wrote.
  int shell(const std::string& command, std::string& output) {
    const std::string file = folder / "shell";
    auto started =
        lab::Program::start({.words = {"/bin/sh", "-c", command}, .environment = {}, .output_file = file});
    EXPECT_TRUE(started.has_value());
    const auto exit = (*started)->wait(30s);
    output = lab::read_file(file);
    std::remove(file.c_str());
    return exit ? exit->status : -1;
  }
  int curl(const std::string& arguments, std::string& output) {
    return shell(fmt::format("curl -s --max-time 20 --cacert {} {}", authority_file(), arguments), output);
  }
  std::string url(std::string_view path) const {
    return fmt::format("https://{}{}", to_string(gateway->clients()), path);
  }

  io::TestAuthority authority_;
};

TEST_F(TlsTest, IsSecureForClientsAndServices) {
  start(config());
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  const auto head = visitor.get("/o/echo-head");
  EXPECT_EQ(head.status, 200);
  EXPECT_THAT(head.body, HasSubstr("X-Forwarded-Proto: https"));

  const auto set = visitor.ask({.method = "POST", .target = "/s/patch", .fields = {}, .body = R"({"a":1})"});
  EXPECT_EQ(set.status, 200);
  ASSERT_NE(set.field("Set-Cookie"), nullptr);
  EXPECT_THAT(*set.field("Set-Cookie"), AllOf(testing::StartsWith("__Host-s="), HasSubstr("; Secure")));
  EXPECT_TRUE(eventually([&] { return gateway->log().find(R"("tls":"TLSv1.3")") != std::string::npos; }));
}

TEST_F(TlsTest, CarriesLongBodiesBothWays) {
  start(config());
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  constexpr std::size_t kOctets = 6'000'000;
  const Pattern pattern;
  std::string body;
  while (body.size() < kOctets) body.append(pattern.at(body.size(), kOctets - body.size()));
  EXPECT_EQ(visitor.ask({.method = "POST", .target = "/o/sink", .fields = {}, .body = body}).body,
            fmt::format("{} good", kOctets));
  EXPECT_TRUE(visitor.get(fmt::format("/o/bytes?n={}", kOctets)).body == body);
  EXPECT_TRUE(visitor.get(fmt::format("/o/bytes?n={}&chunked=1", kOctets)).body == body);
}

TEST_F(TlsTest, ServesWhatCurlAndOpensslAskFor) {
  start(config());
  std::string output;
  EXPECT_EQ(
      curl(url("/o/bytes?n=100000 -o /dev/null -w '%{http_code} %{size_download} %{http_version}'"), output),
      0);
  EXPECT_EQ(output, "200 100000 1.1");
  EXPECT_EQ(curl("--tls-max 1.2 -o /dev/null -w '%{http_code}' " + url("/o/echo-head"), output), 0);
  EXPECT_EQ(output, "200");
  EXPECT_EQ(curl("--tls-max 1.1 " + url("/o/echo-head"), output), 35) << "an old version of TLS";
  EXPECT_NE(shell(fmt::format("echo | openssl s_client -connect {} -alpn h2", to_string(gateway->clients())),
                  output),
            0);
  EXPECT_THAT(output, HasSubstr("no application protocol"));
  // The end is a clean one for a client that insists on it.
  EXPECT_EQ(curl("-H 'Connection: close' -o /dev/null -w '%{http_code}' " + url("/o/echo-head"), output), 0);
  EXPECT_EQ(output, "200");
}

TEST_F(TlsTest, ResumesSessionsOnAnyLoop) {
  std::string two = config();
  two.insert(two.find("debug_headers"), "threads = 2\n");
  start(two);
  Visitor visitor(authority_file());
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
    EXPECT_EQ(visitor.get("/o/echo-head").status, 200);  // the ticket comes before the answer
    EXPECT_EQ(visitor.resumed(), i > 0) << i;
  }
  EXPECT_THAT(reload().body, HasSubstr("\"changes\":[]"));
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  EXPECT_TRUE(visitor.resumed()) << "the certificate has not changed";
}

TEST_F(TlsTest, AReloadChangesTheCertificateOfNewConnectionsAlone) {
  start(config());
  Visitor old(authority_file());
  ASSERT_TRUE(old.connect(gateway->clients()).has_value());
  EXPECT_EQ(old.get("/o/echo-head").status, 200);

  const io::TestAuthority other("Another authority");
  write_file(folder / "other.pem", other.certificate());
  show(other.issue({std::string(kName)}));
  EXPECT_THAT(reload().body, HasSubstr(" has a new certificate\"]"));
  EXPECT_EQ(old.get("/o/echo-head").status, 200) << "an open connection goes on";
  Visitor fresh(folder / "other.pem");
  ASSERT_TRUE(fresh.connect(gateway->clients()).has_value());
  EXPECT_EQ(fresh.get("/o/echo-head").status, 200);
  const auto refused = Visitor(authority_file()).connect(gateway->clients());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::certificate_untrusted);

  // By the signal, too.
  show(authority_.issue({std::string(kName)}));
  gateway->signal(SIGHUP);
  eventually([&] { return Visitor(authority_file()).connect(gateway->clients()).has_value(); });
}

TEST_F(TlsTest, AReloadWithoutAGoodCertificateChangesNothing) {
  start(config());
  const std::string key = lab::read_file(folder / "shop.key");
  write_file(folder / "shop.key", authority_.issue({std::string(kName)}).key);
  const Reply refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("shop.key\\\": is not the key of the certificate"));
  Visitor visitor(authority_file());
  EXPECT_TRUE(visitor.connect(gateway->clients()).has_value());

  const Ended checked = run_stateway(folder, {"check", "-c", folder / "stateway.toml"});
  EXPECT_EQ(checked.status, 2);
  EXPECT_THAT(checked.output, HasSubstr("shop.key\": is not the key of the certificate"));
  write_file(folder / "shop.key", key);
  EXPECT_EQ(reload().status, 200);
}

TEST_F(TlsTest, AnAddressBeginsToSpeakTlsAndStops) {
  start(origin_config());
  Raw plain = connect();
  reload_with(config());
  EXPECT_EQ(plain.ask("GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n").status, 200) << "it came before";
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  reload_with(origin_config());
  EXPECT_EQ(visitor.get("/o/echo-head").status, 200) << "it came before";
  EXPECT_EQ(get("/o/echo-head").status, 200);
}

TEST_F(TlsTest, WhoSpeaksPlainHttpIsToldSo) {
  start(config());
  const Reply reply = connect().ask("GET /o/echo-head HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("This address speaks TLS: use https"));
  Raw noise = connect();
  noise.send(std::string("\x16\x03\x01\x00\x05hello", 10));
  noise.read_to_end();
  Raw scan = connect();
  scan.shutdown_write();
  scan.read_to_end();
  eventually([&] { return status().find("\"handshakes_failed\":3,") != std::string::npos; });
  EXPECT_THAT(gateway->log(), Not(HasSubstr("handshake"))) << "whoever scans ports fills no log";
}

TEST_F(TlsTest, AHandshakeHasTheTimeOfAHeadAndCountsAsAConnection) {
  std::string quick = config();
  const std::size_t at = quick.find("head_timeout");
  quick.replace(at, quick.find('\n', at) - at, "head_timeout = \"300ms\"\nconnections = 2");
  start(quick);
  Raw silent = connect(), slow = connect();
  slow.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  eventually([&] { return status().find("\"connections\":2,") != std::string::npos; });
  EXPECT_TRUE(silent.ended());
  slow.read_to_end();
  Visitor visitor(authority_file());
  EXPECT_TRUE(visitor.connect(gateway->clients()).has_value()) << "there is room again";
}

TEST_F(TlsTest, AClientThatBreaksOffInTheHandshakeHarmsNobody) {
  start(config());
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  for (int i = 0; i < 20; ++i) {
    Raw raw = connect();
    raw.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
    raw.reset();
  }
  eventually([&] { return status().find("\"handshakes_failed\":20,") != std::string::npos; });
  EXPECT_EQ(visitor.get("/o/echo-head").status, 200);
  eventually([&] { return status().find("\"connections\":1,") != std::string::npos; });
}

TEST_F(TlsTest, IdleConnectionsEndCleanlyWhenTheGatewayStops) {
  start(config());
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  EXPECT_EQ(visitor.get("/o/echo-head").status, 200);
  gateway->signal(SIGTERM);
  EXPECT_TRUE(visitor.ends_cleanly());
}

TEST_F(TlsTest, TunnelsWebSockets) {
  start(config());
  Visitor visitor(authority_file());
  ASSERT_TRUE(visitor.connect(gateway->clients()).has_value());
  const std::string head =
      "GET /o/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  EXPECT_EQ(visitor.talk(head, 12), "HTTP/1.1 101");
  std::string rest;
  while (!rest.ends_with("\r\n\r\n") && rest.size() < 4096) rest += visitor.talk("", 1);
  const std::string long_one(200'000, 'w');
  EXPECT_EQ(visitor.talk("hello", 5), "hello");
  EXPECT_TRUE(visitor.talk(long_one, long_one.size()) == long_one);
}

}  // namespace
}  // namespace stateway::scenario
