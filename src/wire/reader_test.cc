#include "wire/reader.h"

#include "wire/test_peers.h"

namespace stateway::wire {
namespace {

using testing::ElementsAre;
using testing::Pair;

// What one message turned out to be.
struct Message {
  Result<void> head = {};
  std::string start;  // method and target, or the status
  std::string body;
  Result<void> ended = {};
  http::Trailers trailers;
};

class ReaderTest : public testing::Test {
 protected:
  static constexpr http::HeadLimits kLimits{
      .head_bytes_max = 2048, .target_bytes_max = 256, .fields_max = 10};

  template <class Head>
  static io::Task<void> read_message(Reader& reader, Message& out, Duration patience) {
    const TimePoint deadline = reader.stream().loop().now() + patience;
    Head head;
    out.head = co_await reader.read_head(head, deadline);
    if (!out.head) co_return;
    Result<http::Framing> framing;
    if constexpr (std::is_same_v<Head, http::RequestHead>) {
      out.start = std::string(head.method_text) + " " + std::string(head.target);
      framing = http::request_framing(head);
    } else {
      out.start = std::to_string(head.status);
      framing = http::response_framing(head, http::Method::get);
    }
    CHECK(framing.has_value());
    reader.begin_body(*framing);
    for (bool done = false; !done;) {
      auto piece = co_await reader.next(deadline);
      if (!piece) {
        out.ended = pass_on(std::move(piece));
        co_return;
      }
      out.body.append(piece->data);
      done = piece->done;
    }
    out.trailers = reader.body().trailers();
    reader.finish_message();
  }

  // Reads `n` messages out of `octets`, which come in pieces and are followed by the end of the stream.
  template <class Head = http::RequestHead>
  std::vector<Message> read(std::string octets, std::size_t piece, std::size_t n = 1, bool end = true) {
    struct Run {
      static io::Task<void> send(io::Stream& to, std::string text, std::size_t size, bool then_end) {
        co_await send_in_pieces(to, std::move(text), size);
        if (then_end) to.shutdown_write();
      }
      static io::Task<void> receive(Reader& reader, std::vector<Message>& out, Duration patience) {
        for (Message& message : out) {
          co_await read_message<Head>(reader, message, patience);
          if (!message.head || !message.ended) co_return;
        }
      }
    };
    io::EpollLoop loop;
    wire::Pair pair(loop);
    constexpr Side side = std::is_same_v<Head, http::RequestHead> ? Side::client : Side::upstream;
    Reader reader(*pair.ours, side, kLimits);
    std::vector<Message> out(n);
    io::TaskGroup sending;
    sending.spawn(Run::send(*pair.theirs, std::move(octets), piece, end));
    io::run_until_done(loop, Run::receive(reader, out, end ? 10s : 30ms));
    empty_afterwards = reader.empty();
    return out;
  }

  bool empty_afterwards = false;
};

constexpr std::string_view kChunked =
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nX-Sum: 9\r\nX-Two: b\r\n\r\n";

TEST_F(ReaderTest, AMessageMayComeInPiecesOfAnySize) {
  const std::string text(kChunked);
  for (std::size_t piece = 1; piece <= text.size(); piece = piece < 8 ? piece + 1 : piece * 2) {
    const auto got = read(text, piece);
    ASSERT_TRUE(got[0].head && got[0].ended) << piece;
    EXPECT_EQ(got[0].start, "POST /c");
    EXPECT_EQ(got[0].body, "Wikipedia") << piece;
    EXPECT_THAT(got[0].trailers, ElementsAre(Pair("X-Sum", "9"), Pair("X-Two", "b"))) << piece;
    EXPECT_TRUE(empty_afterwards) << piece;
  }
}

TEST_F(ReaderTest, PipelinedMessagesComeOutOneByOneHoweverTheyCameIn) {
  const std::string text = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" +
                           std::string(kChunked) + "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{60}, text.size()}) {
    const auto got = read(text, piece, 4);
    EXPECT_EQ(got[0].body, "hello") << piece;
    EXPECT_EQ(got[1].body, "Wikipedia");
    EXPECT_EQ(got[2].start, "GET /3");
    ASSERT_FALSE(got[3].head.has_value());
    EXPECT_EQ(got[3].head.error().code, Code::closed) << piece;
  }
}

TEST_F(ReaderTest, WhatIsReadBehindALongBodyBelongsToTheNextMessage) {
  std::string body(300'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  const std::string one = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + body;
  const auto got = read(one + one + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n", 1u << 20, 3);
  EXPECT_TRUE(got[0].body == body);
  EXPECT_TRUE(got[1].body == body);
  EXPECT_EQ(got[2].start, "GET /2");
}

TEST_F(ReaderTest, AnEarlyEndIsAnErrorOfWhoeverWasSending) {
  struct Case {
    const char* text;
    Code head;  // Code::kLast: fine
    Code body;
  };
  for (const Case& c : {
           Case{"", Code::closed, Code::kLast},
           Case{"GET /", Code::bad_request_line, Code::kLast},
           Case{"GET / HTTP/1.1\r\nHost: h\r\n", Code::bad_request_line, Code::kLast},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", Code::kLast, Code::closed},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", Code::kLast,
                Code::closed},
       }) {
    const auto got = read(c.text, 1000);
    EXPECT_EQ(got[0].head ? Code::kLast : got[0].head.error().code, c.head) << c.text;
    EXPECT_EQ(got[0].ended ? Code::kLast : got[0].ended.error().code, c.body) << c.text;
  }
  for (const Case& c : {
           Case{"", Code::closed, Code::kLast},
           Case{"HTTP/1.1 200", Code::bad_response, Code::kLast},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Code::kLast, Code::upstream_closed},
           Case{"HTTP/1.1 200 OK\r\n\r\nall there is", Code::kLast, Code::kLast},
       }) {
    const auto got = read<http::ResponseHead>(c.text, 1000);
    EXPECT_EQ(got[0].head ? Code::kLast : got[0].head.error().code, c.head) << c.text;
    EXPECT_EQ(got[0].ended ? Code::kLast : got[0].ended.error().code, c.body) << c.text;
    if (!got[0].head) {
      EXPECT_EQ(got[0].head.error().side, Side::upstream);
    }
  }
}

TEST_F(ReaderTest, ABodyWithoutALengthEndsWithTheConnection) {
  const auto got = read<http::ResponseHead>("HTTP/1.1 200 OK\r\n\r\nall there is", 3);
  EXPECT_EQ(got[0].start, "200");
  EXPECT_EQ(got[0].body, "all there is");
}

TEST_F(ReaderTest, WhatIsMalformedOrTooLargeIsRefusedWhileItComes) {
  const std::string fields = "Host: h\r\n\r\n";
  struct Case {
    std::string text;
    Code code;
  };
  for (const Case& c : {
           Case{"GET / HTTP/1.1\r\nX: " + std::string(4000, 'x'), Code::head_too_large},
           Case{"GET /" + std::string(300, 'x'), Code::target_too_long},
           Case{"GET /" + std::string(300, 'x') + " HTTP/1.1\r\n" + fields, Code::target_too_long},
           Case{"GET / HTTP/2.0\r\n" + fields, Code::version_unsupported},
           Case{"GE T / HTTP/1.1\r\n" + fields, Code::bad_request_line},
           Case{"GET / HTTP/1.1\r\nA : b\r\n" + fields, Code::bad_field},
           Case{"GET / HTTP/1.1\nHost: h\n\n", Code::bad_request_line},
       }) {
    // The sender keeps the connection open: the refusal must not wait for its end.
    const auto got = read(c.text, 1, 1, false);
    ASSERT_FALSE(got[0].head.has_value()) << c.text;
    EXPECT_EQ(got[0].head.error().code, c.code) << c.text;
    EXPECT_EQ(got[0].head.error().side, Side::client);
  }
  const auto chunk =
      read("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 1, 1, false);
  ASSERT_FALSE(chunk[0].ended.has_value());
  EXPECT_EQ(chunk[0].ended.error().code, Code::bad_chunk);
}

TEST_F(ReaderTest, ASlowSenderRunsOutOfTime) {
  for (const char* text : {"", "GET / HT", "GET / HTTP/1.1\r\nHost: h\r\n"}) {
    const auto got = read(text, 1, 1, false);
    ASSERT_FALSE(got[0].head.has_value()) << text;
    EXPECT_EQ(got[0].head.error().code, Code::timeout);
  }
  const auto body = read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab", 1, 1, false);
  ASSERT_FALSE(body[0].ended.has_value());
  EXPECT_EQ(body[0].ended.error().code, Code::timeout);
  EXPECT_EQ(body[0].body, "ab");
}

struct Waits {
  static io::Task<void> wait(Reader& reader, std::vector<Result<bool>>& out, Duration patience) {
    out.push_back(co_await reader.wait_for_octets(reader.stream().loop().now() + patience));
  }
  static io::Task<void> upgrade(Reader& reader, std::string& out) {
    http::RequestHead head;
    const auto got = co_await reader.read_head(head, reader.stream().loop().now() + 10s);
    CHECK(got.has_value());
    reader.begin_body({});
    CHECK(reader.next_buffered()->done);
    out = reader.take_unread();
    EXPECT_EQ(head.target, "/tunnel") << "who logs the exchange at its end still needs the head";
  }
};

TEST_F(ReaderTest, WaitingBetweenMessagesTellsOctetsEndAndTimeApart) {
  std::vector<Result<bool>> got;
  {
    io::EpollLoop loop;
    wire::Pair pair(loop);
    Reader reader(*pair.ours, Side::client, kLimits);
    io::run_until_done(loop, Waits::wait(reader, got, 5ms));
  }
  for (const bool end : {false, true}) {
    io::EpollLoop loop;
    wire::Pair pair(loop);
    Reader reader(*pair.ours, Side::client, kLimits);
    io::TaskGroup sending;
    if (end)
      pair.theirs->shutdown_write();
    else
      sending.spawn(send_in_pieces(*pair.theirs, "G", 1));
    io::run_until_done(loop, Waits::wait(reader, got, 10s));
  }
  ASSERT_EQ(got.size(), 3u);
  ASSERT_FALSE(got[0].has_value());
  EXPECT_EQ(got[0].error().code, Code::timeout);
  EXPECT_TRUE(got[1].value());
  EXPECT_FALSE(got[2].value());
}

TEST_F(ReaderTest, ATunnelTakesOverWhatCameBehindTheHead) {
  io::EpollLoop loop;
  wire::Pair pair(loop);
  Reader reader(*pair.ours, Side::client, kLimits);
  io::TaskGroup sending;
  sending.spawn(send_in_pieces(
      *pair.theirs, "GET /tunnel HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n\x81\x02hi", 1000));
  std::string rest;
  io::run_until_done(loop, Waits::upgrade(reader, rest));
  EXPECT_EQ(rest, "\x81\x02hi");
}

}  // namespace
}  // namespace stateway::wire
