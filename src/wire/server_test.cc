#include "wire/server.h"

#include <fmt/format.h>

#include "wire/test_peers.h"

namespace stateway::wire {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// "one", "two", and then the end, or an error.
class Pieces final : public BodySource {
 public:
  explicit Pieces(bool fails) : fails_(fails) {}
  io::Task<Result<std::string>> next() override {
    ++given_;
    if (given_ > 2 && fails_) co_return fail(Code::io);
    co_return std::string(given_ == 1 ? "one" : given_ == 2 ? "two" : "");
  }

 private:
  const bool fails_;
  int given_ = 0;
};

// Answers with what it was asked; some paths have a meaning of their own.
class Echo final : public Handler {
 public:
  explicit Echo(io::EpollLoop& loop) : loop_(loop) {}
  io::Task<Response> handle(const Request& request) override {
    ++handled;
    Response out;
    const std::string_view path = request.target.path();
    busiest = std::max(busiest, ++busy_);
    // tidy: sleep: a slow service is what it plays.
    if (path == "/slow") co_await io::sleep_for(loop_, 30ms);
    --busy_;
    if (path == "/204") out.status = 204;
    if (path == "/pieces") out.source = std::make_shared<Pieces>(false);
    if (path == "/broken") out.source = std::make_shared<Pieces>(true);
    if (path == "/close") out.close = true;
    out.fields.emplace_back("X-Peer", request.peer);
    out.body =
        fmt::format("{} {}{} [{}]", request.head.method_text, path, request.target.query, request.body);
    co_return out;
  }
  void answered() override { ++answers; }
  int handled = 0;
  int answers = 0;
  int busiest = 0;  // requests at once

 private:
  int busy_ = 0;
  io::EpollLoop& loop_;
};

// A server on a free port, on a loop of its own.
struct Site {
  explicit Site(Duration idle_most = 100ms) : idle(idle_most) {
    accepting.spawn(server.accept_from(acceptor));
  }

  const Duration idle;
  io::EpollLoop loop;
  io::Worker resolver{"resolver"};
  io::SocketNetwork network{loop, resolver};
  io::ListenSocket socket = std::move(*io::ListenSocket::open({.host = "127.0.0.1"}));
  io::SocketAcceptor acceptor{loop, socket};
  Echo echo{loop};
  Server server{loop,
                echo,
                {.head = {.head_bytes_max = 1024, .target_bytes_max = 100, .fields_max = 10},
                 .body_bytes_max = 64,
                 .message_timeout = 100ms,
                 .idle = idle,
                 .connections_max = 3}};
  io::TaskGroup accepting;
};

class ServerTest : public testing::Test {
 protected:
  static io::Task<void> exchange(Site& site, std::string octets, std::size_t piece, std::string& out) {
    auto stream = co_await site.network.connect(site.socket.address(), site.loop.now() + 10s);
    CHECK(stream.has_value());
    io::TaskGroup sending;
    sending.spawn(send_in_pieces(**stream, std::move(octets), piece));
    co_await receive(**stream, out);
  }

  // Sends octets and returns all that comes until the server ends the connection.
  std::string talk(std::string octets, std::size_t piece = 1u << 20) {
    Site site;
    std::string out;
    io::run_until_done(site.loop, exchange(site, std::move(octets), piece, out));
    handled = site.echo.handled;
    answers = site.echo.answers;
    return out;
  }

  int handled = 0;  // by the last talk
  int answers = 0;
};

std::string get(std::string_view target, std::string_view more = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", target, more);
}
constexpr std::string_view kClose = "Connection: close\r\n";

TEST_F(ServerTest, AnswersOneRequest) {
  const std::string got = talk(get("/a?b=c", kClose));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(got, HasSubstr("\r\nX-Peer: 127.0.0.1\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nContent-Length: 13\r\nConnection: close\r\n\r\nGET /a?b=c []"));
  EXPECT_EQ(answers, 1);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  const std::string got = talk(get("/slow") + get("/2") + get("/3", kClose));
  const auto first = got.find("GET /slow []"), second = got.find("GET /2 []"), third = got.find("GET /3 []");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_THAT(got, EndsWith("GET /3 []"));
  EXPECT_EQ(handled, 3);
  EXPECT_EQ(answers, 3);
}

TEST_F(ServerTest, ReadsBodiesInPiecesOfAnySize) {
  const std::string text =
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5;e\r\npedia\r\n0\r\nT: "
      "x\r\n\r\n" +
      get("/3", kClose);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{10}, text.size()}) {
    const std::string got = talk(text, piece);
    EXPECT_THAT(got, HasSubstr("POST /1 [hello]HTTP/1.1 200"));
    EXPECT_THAT(got, HasSubstr("POST /2 [Wikipedia]HTTP/1.1 200"));
    EXPECT_THAT(got, EndsWith("GET /3 []"));
  }
}

TEST_F(ServerTest, HeadAnd204HaveNoBody) {
  const std::string got = talk("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/204") + get("/last", kClose));
  EXPECT_THAT(got, HasSubstr("Content-Length: 10\r\n\r\nHTTP/1.1 204 No Content\r\n"));
  const std::string after_204 = got.substr(got.find("204 No Content"));
  EXPECT_THAT(after_204.substr(0, after_204.find("\r\n\r\n")), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(after_204, HasSubstr("\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(ServerTest, ABodyMayBeMadeWhileItIsSent) {
  const std::string got = talk(get("/pieces") + get("/last", kClose));
  EXPECT_THAT(
      got,
      HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK"));
  EXPECT_THAT(got, Not(HasSubstr("Content-Length: 3")));
  const std::string old = talk("GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get("/never"));
  EXPECT_THAT(old, EndsWith("\r\nConnection: close\r\n\r\nonetwo"));
  const std::string headed = talk("HEAD /pieces HTTP/1.1\r\nHost: h\r\n\r\n" + get("/last", kClose));
  EXPECT_THAT(headed, HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(ServerTest, ABodyWhoseSourceFailsBreaksOff) {
  const std::string got = talk(get("/broken") + get("/never"));
  EXPECT_THAT(got, Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_THAT(got, Not(HasSubstr("/never")));
}

TEST_F(ServerTest, SaysContinueToWhoWaitsForIt) {
  const std::string got = talk(fmt::format(
      "PUT /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n{}\r\nhi", kClose));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(got, EndsWith("PUT /e [hi]"));
}

TEST_F(ServerTest, Http10EndsUnlessItAsksToStay) {
  EXPECT_THAT(talk("GET /old HTTP/1.0\r\n\r\n" + get("/never")), EndsWith("GET /old []"));
  const std::string kept = talk("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get("/next", kClose));
  EXPECT_THAT(kept, EndsWith("GET /next []"));
  EXPECT_THAT(talk(get("/close") + get("/never")), EndsWith("GET /close []"));
}

TEST_F(ServerTest, RefusesWithAProblemAndEndsTheConnection) {
  struct Case {
    std::string request;
    int status;
    std::string_view code;
  };
  const std::string long_value(1100, 'x');
  for (const Case& c : {
           Case{"GET /" + std::string(200, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414, "target-too-long"},
           Case{get("/", "X: " + long_value + "\r\n"), 431, "head-too-large"},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n" + std::string(65, 'x'), 413,
                "body-too-large"},
           Case{"GET / HTTP/1.1\r\nHost: h\r\n", 408, "timeout"},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 408, "timeout"},
           Case{"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "version-unsupported"},
           Case{"GET / HTTP/1.1\r\n\r\n", 400, "bad-host"},
           Case{get("/", "Host: other\r\n"), 400, "bad-host"},
           Case{get("/", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400, "bad-framing"},
           Case{get("/", "Transfer-Encoding: gzip\r\n"), 400, "bad-framing"},
           Case{get("/", "A : b\r\n"), 400, "bad-field"},
           Case{get("/", "Transfer-Encoding: chunked\r\n") + "x\r\n", 400, "bad-chunk"},
       }) {
    const std::string got = talk(c.request + (c.status == 408 ? "" : get("/smuggled")));
    EXPECT_THAT(got, StartsWith(fmt::format("HTTP/1.1 {} ", c.status))) << c.request;
    EXPECT_THAT(got, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_THAT(got, HasSubstr(fmt::format(R"("type":"urn:stateway:problem:{}")", c.code))) << c.request;
    EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(got.find("HTTP/1.1 ", 1), std::string::npos) << "one answer: " << got;
    EXPECT_EQ(handled, 0) << c.request;
  }
}

TEST_F(ServerTest, ABadTargetIsRefusedAndTheConnectionGoesOn) {
  const std::string got = talk(get("/%zz") + get("/good", kClose));
  EXPECT_THAT(got, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(got, HasSubstr("urn:stateway:problem:bad-target"));
  EXPECT_THAT(got, EndsWith("GET /good []"));
}

TEST_F(ServerTest, AnIdleConnectionEndsInTime) {
  EXPECT_EQ(talk(""), "");
  EXPECT_THAT(talk(get("/a")), EndsWith("GET /a []"));
}

class DrainTest : public ServerTest {
 protected:
  static io::Task<void> send_and_receive(io::Stream& stream, std::string octets, std::string& out) {
    (void)co_await stream.write_all(octets, stream.loop().now() + 10s);
    co_await receive(stream, out);
  }
  static io::Task<void> drain(Site& site, std::array<std::string, 2>& out) {
    auto busy = co_await site.network.connect(site.socket.address(), site.loop.now() + 10s);
    auto idle = co_await site.network.connect(site.socket.address(), site.loop.now() + 10s);
    CHECK(busy.has_value() && idle.has_value());
    io::TaskGroup clients;
    clients.spawn(send_and_receive(**idle, get("/first"), out[1]));
    clients.spawn(send_and_receive(**busy, get("/slow"), out[0]));
    while (site.echo.handled < 2 || site.echo.answers < 1) co_await io::sleep_for(site.loop, 1ms);
    site.server.drain();
    co_await site.server.drained();
    co_await clients.drained();
  }
};

TEST_F(DrainTest, WhatIsBeingAnsweredEndsWellAndWhatIsIdleEndsAtOnce) {
  Site site;
  std::array<std::string, 2> got;
  io::run_until_done(site.loop, drain(site, got));
  EXPECT_THAT(got[0], HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(got[0], EndsWith("GET /slow []"));
  EXPECT_THAT(got[1], EndsWith("GET /first []"));
}

// A client that sends all of a long body before it reads, as most do, must find the answer that refuses it.
TEST_F(ServerTest, ARefusalReachesWhoIsStillSending) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n";
  EXPECT_THAT(talk(head + std::string(200'000, 'x'), 10'000), StartsWith("HTTP/1.1 413 "));
}

class FullTest : public ServerTest {
 protected:
  using Streams = std::vector<std::unique_ptr<io::Stream>>;
  static io::Task<void> connect(Site& site, Streams& out) {
    auto stream = co_await site.network.connect(site.socket.address(), site.loop.now() + 10s);
    CHECK(stream.has_value());
    out.push_back(std::move(*stream));
  }
  static io::Task<void> ask(io::Stream& stream, std::string request, std::string& out) {
    (void)co_await stream.write_all(request, stream.loop().now() + 10s);
    const std::string end = request.substr(0, request.find(" HTTP")) + " []";
    co_await receive(stream, out, end);
  }
  // Whether the server has ended the connection.
  static io::Task<void> expect_end(io::Stream& stream) {
    std::string more;
    co_await receive(stream, more);
    EXPECT_EQ(more, "");
  }

  static io::Task<void> the_longest_idle_makes_room(Site& site) {
    Streams streams;
    for (int i = 0; i < 3; ++i) {
      co_await connect(site, streams);
      std::string answer;
      co_await ask(*streams.back(), get("/x"), answer);
    }
    std::string again, fourth;
    co_await ask(*streams[0], get("/x"), again);
    co_await connect(site, streams);
    co_await ask(*streams[3], get("/x"), fourth);
    EXPECT_THAT(fourth, EndsWith("GET /x []"));
    co_await expect_end(*streams[1]);
    for (const std::size_t kept : {0, 2, 3}) {
      std::string answer;
      co_await ask(*streams[kept], get("/x"), answer);
      EXPECT_THAT(answer, EndsWith("GET /x []")) << kept;
    }
  }

  static io::Task<void> whoever_comes_waits(Site& site) {
    Streams streams;
    std::array<std::string, 4> answers;
    io::TaskGroup clients;
    for (std::size_t i = 0; i < 4; ++i) {
      co_await connect(site, streams);
      clients.spawn(ask(*streams[i], get("/slow"), answers[i]));
    }
    co_await clients.drained();
    EXPECT_LE(site.echo.busiest, 3);
    for (const std::string& answer : answers) EXPECT_THAT(answer, EndsWith("GET /slow []"));
  }
};

TEST_F(FullTest, TheConnectionThatWasIdleLongestMakesRoom) {
  Site site(10s);
  io::run_until_done(site.loop, the_longest_idle_makes_room(site));
}

TEST_F(FullTest, WhileNoneIsIdleWhoeverComesWaits) {
  Site site(10s);
  io::run_until_done(site.loop, whoever_comes_waits(site));
}

TEST(ProblemResponse, IsAProblem) {
  const Response got = problem_response(422, "bad-item", "", "no \"name\"");
  EXPECT_EQ(got.status, 422);
  EXPECT_EQ(got.body,
            R"({"type":"urn:stateway:problem:bad-item","title":"Unprocessable Content","status":422,)"
            R"("detail":"no \"name\""})"
            "\n");
}

}  // namespace
}  // namespace stateway::wire
