#include "http/body_decoder.h"

#include <gtest/gtest.h>

#include "http/writer.h"

namespace stateway::http {
namespace {

using std::literals::operator""s;
using Kind = Framing::Kind;

struct Outcome {
  std::string data;
  std::size_t consumed = 0;
  bool done = false;
  Code code = Code::kLast;
  Trailers trailers;

  bool operator==(const Outcome&) const = default;
};

// Feeds `input` in pieces of at most `piece` octets.
Outcome decode(Framing framing, std::string_view input, std::size_t piece, BodyLimits limits = {}) {
  BodyDecoder decoder(framing, Side::client, limits);
  Outcome out;
  std::size_t have = std::min(piece, input.size());
  while (!decoder.done()) {
    const auto step = decoder.next(input.substr(out.consumed, have - out.consumed));
    if (!step) {
      out.code = step.error().code;
      out.consumed = 0;  // how far it got depends on the pieces
      return out;
    }
    out.consumed += step->consumed;
    out.data += step->data;
    EXPECT_EQ(step->done, decoder.done());
    if (step->data.empty() && !step->done) {
      EXPECT_EQ(out.consumed, have);
    }
    if (out.consumed == have) {
      if (have == input.size()) break;
      have = std::min(have + piece, input.size());
    }
  }
  out.done = decoder.done();
  out.trailers = decoder.trailers();
  return out;
}

Outcome decode_all_ways(Framing framing, std::string_view input, BodyLimits limits = {}) {
  const Outcome whole = decode(framing, input, input.size(), limits);
  for (std::size_t piece = 1; piece < input.size(); ++piece)
    EXPECT_EQ(decode(framing, input, piece, limits), whole) << input << " in pieces of " << piece;
  return whole;
}

TEST(BodyDecoder, LengthAndNone) {
  EXPECT_TRUE(BodyDecoder({}, Side::client).done());
  EXPECT_TRUE(BodyDecoder({Kind::length, 0}, Side::client).done());
  const Outcome out = decode_all_ways({Kind::length, 5}, "helloGET /");
  EXPECT_EQ(out.data, "hello");
  EXPECT_EQ(out.consumed, 5u);
  EXPECT_TRUE(out.done);
}

TEST(BodyDecoder, Chunked) {
  const std::tuple<std::string, std::string, Trailers> table[] = {
      {"0\r\n\r\n", "", {}},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", {}},
      {"A\r\n0123456789\r\n00001\r\n!\r\n000\r\n\r\n", "0123456789!", {}},
      {"3;a=b;c=\"d e\"\r\n\r\n\r\r\n0;x\r\n\r\n", "\r\n\r", {}},
      {"1 \t;a\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x", {{"A", "b"}, {"C", ""}}},
      {"0000000000000001\r\nx\r\n0\r\n\r\n", "x", {}},
      {"1;\xc3\xa4\r\nx\r\n0\r\n\r\n", "x", {}},
  };
  for (const auto& [input, data, trailers] : table) {
    const Outcome out = decode_all_ways({Kind::chunked, 0}, input + "GET /next");
    EXPECT_EQ(out.data, data) << input;
    EXPECT_EQ(out.consumed, input.size()) << input;
    EXPECT_EQ(out.trailers, trailers);
    EXPECT_TRUE(out.done);
  }
}

TEST(BodyDecoder, RefusesChunks) {
  for (const std::string& input : {
           "\r\n"s,
           ";\r\n"s,
           " 5\r\nhello\r\n"s,
           "-5\r\n"s,
           "0x5\r\nhello\r\n"s,
           "5g\r\nhello\r\n"s,
           "5\nhello\r\n"s,
           "5\r\r\nhello\r\n"s,
           "5 \r\nhello\r\n"s,
           "5 a\r\nhello\r\n"s,
           "5;a\nhello\r\n"s,
           "5;a\rb\r\nhello\r\n"s,
           "5;a\0\r\nhello\r\n"s,
           "5;a\x7f\r\nhello\r\n"s,
           "5\r\nhelloX\r\n"s,
           "5\r\nhello\n0\r\n"s,
           "5\r\nhello\rX"s,
           "5\r\nhell\r\n0\r\n\r\n"s,
           "00000000000000001\r\nx\r\n"s,
           "10000000000000000\r\n"s,
           "5;" + std::string(4096, 'x') + "\r\nhello\r\n",
       }) {
    const Outcome out =
        decode_all_ways({Kind::chunked, 0}, input.size() > 100 ? input.substr(0, 4100) : input);
    EXPECT_EQ(out.code, Code::bad_chunk) << input;
  }
}

TEST(BodyDecoder, LargestChunkSizeDoesNotOverflow) {
  BodyDecoder decoder({Kind::chunked, 0}, Side::upstream);
  const auto step = decoder.next("ffffffffffffffff\r\nab");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data, "ab");
  EXPECT_EQ(decoder.remaining(), 0xfffffffffffffffdu);
}

TEST(BodyDecoder, RefusesTrailers) {
  const BodyLimits limits{.chunk_line_bytes_max = 16, .trailer_bytes_max = 32, .trailer_fields_max = 2};
  for (const std::string& input : {
           "0\r\nA : b\r\n\r\n"s,
           "0\r\n\n"s,
           "0\r\nA: b\n\r\n"s,
           "0\r\n A: b\r\n\r\n"s,
           "0\r\n\r\r\n"s,
           "0\r\nA: b\0\r\n\r\n"s,
           "0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n"s,
           "0\r\nA: " + std::string(40, 'x') + "\r\n\r\n",
       })
    EXPECT_EQ(decode_all_ways({Kind::chunked, 0}, input, limits).code, Code::bad_field) << input;
}

TEST(BodyDecoder, EndOfStream) {
  BodyDecoder until_close({Kind::until_close, 0}, Side::upstream);
  EXPECT_EQ(until_close.next("all of it")->data, "all of it");
  EXPECT_FALSE(until_close.done());
  EXPECT_TRUE(until_close.finish_at_eof());
  EXPECT_TRUE(until_close.done());

  EXPECT_TRUE(BodyDecoder({}, Side::client).finish_at_eof());
  EXPECT_EQ(BodyDecoder({Kind::length, 1}, Side::client).finish_at_eof().error().code, Code::closed);
  BodyDecoder chunked({Kind::chunked, 0}, Side::upstream);
  EXPECT_TRUE(chunked.next("1\r\nx\r\n0\r\n"));
  EXPECT_EQ(chunked.finish_at_eof().error().code, Code::upstream_closed);
}

TEST(Writer, Lines) {
  std::string out;
  append_request_line(out, "PURGE", "/a?b");
  append_status_line(out, 204, "No Content");
  append_field(out, Field{.name = "A", .value = "b"});
  append_field(out, "Content-Length", std::uint64_t{18446744073709551615u});
  append_own_field(out, "Stateway-Session", "{}");
  end_head(out);
  EXPECT_EQ(
      out,
      "PURGE /a?b HTTP/1.1\r\nHTTP/1.1 204 No Content\r\nA: b\r\nContent-Length: 18446744073709551615\r\n"
      "Stateway-Session: {}\r\n\r\n");
}

TEST(Writer, OwnFieldsAreChecked) {
  std::string out;
  EXPECT_DEATH(append_own_field(out, "A", "b\r\nC: d"), "is_valid_field_value");
  EXPECT_DEATH(append_own_field(out, "A b", "c"), "is_token");
  EXPECT_TRUE(is_valid_field_value("a\tb \xff"));
  for (const auto& bad : {"a\r"s, "\n"s, "\0"s, "12345678\x7f"s, "1234567812345678\x1f"s})
    EXPECT_FALSE(is_valid_field_value(bad));
}

TEST(Writer, ChunksComeBack) {
  for (const auto& [size, text] : {std::pair<std::uint64_t, std::string_view>{1, "1\r\n"},
                                   {255, "ff\r\n"},
                                   {65536, "10000\r\n"},
                                   {~std::uint64_t{0}, "ffffffffffffffff\r\n"}})
    EXPECT_EQ(ChunkHeader(size).view(), text);
  const Trailers trailers = {{"A", "b"}};
  std::string out(ChunkHeader(5).view());
  out.append("hello").append(kChunkEnd);
  append_last_chunk(out, trailers);
  const Outcome decoded = decode_all_ways({Kind::chunked, 0}, out);
  EXPECT_EQ(decoded.data, "hello");
  EXPECT_EQ(decoded.trailers, trailers);
  out.clear();
  append_last_chunk(out, {});
  EXPECT_EQ(out, kLastChunk);
}

}  // namespace
}  // namespace stateway::http
