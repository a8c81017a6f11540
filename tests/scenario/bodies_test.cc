// Bodies far larger than the memory the gateway may use, both ways.
#include <fmt/format.h>

#include "base/bytes.h"
#include "http/body_decoder.h"
#include "http/h1_parser.h"
#include "pattern.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::StartsWith;

class Bodies : public Site {
 protected:
  void SetUp() override { start(origin_config()); }

  static std::uint64_t octets() {
    return setting("STATEWAY_SCENARIO_BODY_MIB", is_sanitized() ? 64 : 256) << 20;
  }

  // The most memory the gateway has ever used, in MiB.
  std::uint64_t peak_mib() const {
    const std::string status = lab::read_file(fmt::format("/proc/{}/status", gateway->pid()));
    const std::size_t at = status.find("VmHWM:");
    if (at == std::string::npos) return 0;
    std::string_view number = std::string_view(status).substr(at + 6);
    number = trim_ows(number.substr(0, number.find("kB")));
    return parse_decimal(number).value_or(0) / 1024;
  }
  void expect_little_memory() const {
    std::cout << "peak " << peak_mib() << " MiB for a body of " << (octets() >> 20) << " MiB\n";
    if (is_sanitized()) return;  // which keeps memory of its own
    EXPECT_GT(peak_mib(), 0u);
    EXPECT_LT(peak_mib(), 64u);
  }

  void expect_download(bool chunked) {
    Raw raw = connect();
    raw.send(fmt::format("GET /o/bytes?n={}{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", octets(),
                         chunked ? "&chunked=1" : ""));
    std::string input;
    http::ResponseHead head;
    for (Result<std::size_t> parsed = fail(Code::incomplete); !parsed;) {
      const std::string more = raw.read_some();
      ASSERT_FALSE(more.empty()) << input;
      input.append(more);
      parsed = http::parse_response_head(input, {}, head);
      if (parsed) {
        const auto framing = http::response_framing(head, http::Method::get);
        ASSERT_TRUE(framing.has_value());
        input.erase(0, *parsed);
        read_pattern(raw, std::move(input), *framing);
      }
    }
  }

  static void read_pattern(Raw& raw, std::string input, http::Framing framing) {
    const Pattern pattern;
    PatternCheck check(pattern);
    http::BodyDecoder body(framing, Side::upstream);
    while (!body.done()) {
      for (std::string_view rest = input; !rest.empty() && !body.done();) {
        const auto step = body.next(rest);
        ASSERT_TRUE(step.has_value()) << step.error().context;
        check.take(step->data);
        rest.remove_prefix(step->consumed);
      }
      if (body.done()) break;
      input = raw.read_some(1 << 18);
      ASSERT_FALSE(input.empty()) << "the body broke off after " << check.octets();
    }
    EXPECT_TRUE(check.good()) << "the first difference is behind octet " << check.octets();
    EXPECT_EQ(check.octets(), octets());
  }

  void expect_upload(bool chunked) {
    const Pattern pattern;
    Raw raw = connect();
    raw.send(
        fmt::format("POST /o/sink HTTP/1.1\r\nHost: h\r\n{}\r\n\r\n",
                    chunked ? "Transfer-Encoding: chunked" : fmt::format("Content-Length: {}", octets())));
    for (std::uint64_t at = 0; at < octets();) {
      const std::string_view piece = pattern.at(at, octets() - at);
      if (chunked) {
        ASSERT_TRUE(raw.send(fmt::format("{:x}\r\n", piece.size())));
      }
      ASSERT_TRUE(raw.send(piece)) << "refused behind octet " << at;
      if (chunked) {
        ASSERT_TRUE(raw.send("\r\n"));
      }
      at += piece.size();
    }
    if (chunked) raw.send("0\r\n\r\n");
    EXPECT_EQ(raw.reply("POST").body, fmt::format("{} good", octets()));
  }
};

TEST_F(Bodies, AResponseOfKnownLengthStreams) {
  expect_download(false);
  expect_little_memory();
}

TEST_F(Bodies, AChunkedResponseStreams) {
  expect_download(true);
  expect_little_memory();
}

TEST_F(Bodies, ARequestOfKnownLengthStreams) {
  expect_upload(false);
  expect_little_memory();
}

TEST_F(Bodies, AChunkedRequestStreams) {
  expect_upload(true);
  expect_little_memory();
}

TEST_F(Bodies, AClientThatDoesNotReadStopsTheService) {
  Raw raw = connect();
  raw.send(fmt::format("GET /o/bytes?n={} HTTP/1.1\r\nHost: h\r\n\r\n", octets()));
  EXPECT_THAT(raw.read(12), StartsWith("HTTP/1.1 200"));
  // The service writes until every buffer on the way is full, and then no more.
  std::string before, now;
  eventually([&] {
    before = std::exchange(now, get("/o/written").body);
    return parse_decimal(now).value_or(0) > 0 && now == before;
  });
  EXPECT_LT(parse_decimal(now).value_or(octets()), 24u << 20);
  expect_little_memory();
}

}  // namespace
}  // namespace stateway::scenario
