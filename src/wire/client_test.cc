#include "wire/client.h"

#include <deque>

#include "wire/test_peers.h"

namespace stateway::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct Answer {
  std::string octets;
  bool then_close = false;
  bool read_first = true;  // false: answers without having read the request
};

class ClientTest : public testing::Test {
 protected:
  struct Got {
    std::vector<Result<ClientResponse>> responses;
    std::vector<bool> reusable;
    std::vector<std::string> requests;  // as the server read them
    Sent sent = Sent::nothing;
  };

  static io::Task<void> serve(std::unique_ptr<io::Stream> stream, std::deque<Answer> answers, Got& got) {
    for (const Answer& answer : answers) {
      if (answer.read_first) {
        std::string& request = got.requests.emplace_back();
        std::array<char, 65536> buffer;
        // The requests of these tests end with an empty line or with "END".
        while (!request.ends_with("\r\n\r\n") && !request.ends_with("END")) {
          const auto n = co_await stream->read_some(buffer, stream->loop().now() + 10s);
          if (!n || *n == 0) co_return;
          request.append(buffer.data(), *n);
        }
      }
      (void)co_await stream->write_all(answer.octets, stream->loop().now() + 10s);
      if (answer.then_close) co_return;
    }
    std::string rest;  // stays open until the client goes
    co_await receive(*stream, rest);
  }

  static io::Task<void> ask(io::EpollLoop& loop, Client& client, std::vector<ClientRequest> requests,
                            Duration patience, Got& got) {
    for (const ClientRequest& request : requests) {
      got.responses.push_back(co_await client.exchange(request, loop.now() + patience));
      // tidy: sleep: nobody is told of an end that the server has sent; it must have time to arrive.
      co_await io::sleep_for(loop, 2ms);
      got.reusable.push_back(client.reusable());
      got.sent = client.sent();
    }
  }

  static Got talk(std::vector<ClientRequest> requests, std::deque<Answer> answers, Duration patience = 10s) {
    Got got;
    io::EpollLoop loop;
    Pair pair(loop);
    io::TaskGroup serving;
    serving.spawn(serve(std::move(pair.theirs), std::move(answers), got));
    Client client(std::move(pair.ours), {.head = {}, .body_bytes_max = 1000});
    io::run_until_done(loop, ask(loop, client, std::move(requests), patience, got));
    return got;
  }
  static Got get(Answer answer) { return talk({ClientRequest{}}, {std::move(answer)}); }
};

TEST_F(ClientTest, SeveralExchangesShareAConnection) {
  ClientRequest post;
  post.method = "POST";
  post.target = "/x";
  post.host = "shop.example";
  post.fields = {{"X-One", "1"}};
  post.body = "the END";
  const Got got =
      talk({post, ClientRequest{}}, {{"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi"},
                                     {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}});
  ASSERT_TRUE(got.responses[0] && got.responses[1]);
  EXPECT_EQ(got.responses[0]->status, 201);
  EXPECT_EQ(got.responses[0]->body, "hi");
  ASSERT_NE(got.responses[0]->field("x-a"), nullptr);
  EXPECT_EQ(*got.responses[0]->field("x-a"), "b");
  EXPECT_EQ(got.responses[0]->field("x-b"), nullptr);
  EXPECT_THAT(got.requests[0], StartsWith("POST /x HTTP/1.1\r\nHost: shop.example\r\n"));
  EXPECT_THAT(got.requests[0], HasSubstr("\r\nX-One: 1\r\nContent-Length: 7\r\n\r\nthe END"));
  EXPECT_THAT(got.requests[1], Not(HasSubstr("Content-Length")));
  EXPECT_THAT(got.reusable, ElementsAre(true, true));
}

TEST_F(ClientTest, BodiesComeInEveryFraming) {
  const Got chunked =
      get({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: t\r\n\r\n"});
  EXPECT_EQ(chunked.responses[0].value().body, "abcde");
  EXPECT_THAT(chunked.reusable, ElementsAre(true));
  const Got closing = get({"HTTP/1.1 200 OK\r\n\r\nto the end", true});
  EXPECT_EQ(closing.responses[0].value().body, "to the end");
  EXPECT_THAT(closing.reusable, ElementsAre(false));
  const Got empty = get({"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n"});
  EXPECT_EQ(empty.responses[0].value().body, "");
  EXPECT_THAT(empty.reusable, ElementsAre(true));
  ClientRequest head;
  head.method = "HEAD";
  const Got headed = talk({head, head}, {{"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"},
                                         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}});
  EXPECT_EQ(headed.responses[1].value().status, 200);
}

TEST_F(ClientTest, ADownloadGoesPieceByPieceToItsSink) {
  struct Download {
    static io::Task<void> run(Client& client, const Client::Sink& into, Result<ClientResponse>& out) {
      out = co_await client.download({}, 10s, into);
    }
  };
  std::string taken;
  bool refuses = false;
  const Client::Sink into = [&](std::string_view piece) -> Result<void> {
    if (refuses) return fail(Code::io, Side::self, "no room");
    taken += piece;
    return {};
  };
  const auto download = [&](Answer answer) {
    Got got;
    io::EpollLoop loop;
    Pair pair(loop);
    io::TaskGroup serving;
    serving.spawn(serve(std::move(pair.theirs), {std::move(answer)}, got));
    Client client(std::move(pair.ours), {.head = {}, .body_bytes_max = 4});
    Result<ClientResponse> out = fail(Code::internal);
    io::run_until_done(loop, Download::run(client, into, out));
    return out;
  };
  const std::string whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlong\r\n4\r\nbody\r\n0\r\n\r\n";
  EXPECT_EQ(download({whole}).value().body, "");
  EXPECT_EQ(taken, "longbody");
  EXPECT_EQ(download({"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno"}).value().body, "no");
  EXPECT_EQ(taken, "longbody");
  EXPECT_FALSE(download({whole.substr(0, whole.size() - 10), true}));
  refuses = true;
  EXPECT_EQ(download({whole}).error().context, "no room");
}

TEST_F(ClientTest, InterimAnswersAreSkipped) {
  const Got got =
      get({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"});
  EXPECT_EQ(got.responses[0].value().status, 200);
  EXPECT_EQ(got.responses[0].value().body, "x");
  EXPECT_EQ(got.responses[0].value().field("link"), nullptr);
}

TEST_F(ClientTest, AConnectionThatTheServerEndsIsNotUsedAgain) {
  EXPECT_THAT(get({"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"}).reusable,
              ElementsAre(false));
  EXPECT_THAT(get({"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}).reusable, ElementsAre(false));
  // It said nothing and closed after its answer.
  const Got closed = get({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true});
  EXPECT_TRUE(closed.responses[0].has_value());
  EXPECT_THAT(closed.reusable, ElementsAre(false));
  // It sent more than it was asked for.
  const Got more = get({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"});
  EXPECT_TRUE(more.responses[0].has_value());
  EXPECT_THAT(more.reusable, ElementsAre(false));
}

TEST_F(ClientTest, FailuresSayWhatHappenedAndEndTheConnection) {
  struct Case {
    Answer answer;
    Code code;
  };
  for (const Case& c : {
           Case{{"", true}, Code::closed},
           Case{{"HTTP/1.1 2", true}, Code::bad_response},
           Case{{"SSH-2.0-OpenSSH\r\n"}, Code::bad_status_line},
           Case{{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", true}, Code::upstream_closed},
           Case{{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}, Code::bad_framing},
           Case{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}, Code::bad_chunk},
           Case{{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')},
                Code::body_too_large},
       }) {
    const Got got = get(c.answer);
    ASSERT_FALSE(got.responses[0].has_value()) << c.answer.octets;
    EXPECT_EQ(got.responses[0].error().code, c.code) << c.answer.octets;
    EXPECT_EQ(got.responses[0].error().side, Side::upstream) << c.answer.octets;
    EXPECT_THAT(got.reusable, ElementsAre(false));
    EXPECT_EQ(got.sent, Sent::unknown);
  }
}

TEST_F(ClientTest, ASilentServerRunsOutOfTime) {
  const Got got = talk({ClientRequest{}}, {{""}}, 20ms);
  ASSERT_FALSE(got.responses[0].has_value());
  EXPECT_EQ(got.responses[0].error().code, Code::timeout);
}

TEST_F(ClientTest, AnAnswerThatComesBeforeTheBodyWasTakenIsHeard) {
  ClientRequest post;
  post.method = "POST";
  post.body.assign(8u << 20, 'x');  // more than the sockets hold
  const Got got =
      talk({post}, {{"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n", true, false}});
  ASSERT_TRUE(got.responses[0].has_value()) << got.responses[0].error().context;
  EXPECT_EQ(got.responses[0]->status, 413);
  EXPECT_THAT(got.reusable, ElementsAre(false));
}

}  // namespace
}  // namespace stateway::wire
