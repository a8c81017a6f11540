// Clients that send their heads octet by octet, or never read: what they cost the others.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/bytes.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::StartsWith;

class SlowClients : public Site {
 protected:
  SlowClients() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    descriptors_ = limit.rlim_cur;
  }

  // As many as STATEWAY_SCENARIO_SLOW says, and descriptors allow.
  std::size_t count() const {
    const std::uint64_t wished = setting("STATEWAY_SCENARIO_SLOW", is_sanitized() ? 1000 : 5000);
    return std::min<std::uint64_t>(wished, descriptors_ / 2 - 512);
  }

  // The most memory the gateway ever had, in KiB.
  std::uint64_t peak_kib() const {
    const std::string status = lab::read_file(fmt::format("/proc/{}/status", gateway->pid()));
    const std::size_t at = status.find("VmHWM:");
    if (at == std::string::npos) return 0;
    std::string_view number = std::string_view(status).substr(at + 6);
    number = trim_ows(number.substr(0, number.find("kB")));
    return parse_decimal(number).value_or(0);
  }

  std::uint64_t exchanges_in_flight() {
    const std::string status = ask_admin("/v1/status").body;
    constexpr std::string_view kName = R"("exchanges":)";
    const std::size_t at = status.find(kName) + kName.size();
    return parse_decimal(std::string_view(status).substr(at, status.find(',', at) - at)).value_or(0);
  }

 private:
  std::uint64_t descriptors_ = 0;
};

TEST_F(SlowClients, ThousandsOfSlowHeadsAndOneWhoNeverReadsDoNotKeepOthersFromTheirAnswers) {
  std::string config = origin_config();
  const std::size_t limits = config.find("head_timeout");
  config.replace(limits, config.find('\n', limits) - limits, "head_timeout = \"3s\"\nclient_idle = \"3s\"");
  start(config);
  EXPECT_EQ(get("/o/echo-head").status, 200);
  const std::uint64_t before = peak_kib();

  Raw never_reads = connect();
  never_reads.send("GET /o/bytes?n=1000000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  std::vector<Raw> slow;
  for (std::size_t i = 0; i < count(); ++i) {
    slow.push_back(connect());
    ASSERT_TRUE(slow.back().connected()) << i;
    slow.back().send(fmt::format("GET /o/echo-head?{} HTTP/1.1\r\nHost: h\r\nX-Slow: ", i));
    if (i % 100 == 0) EXPECT_EQ(get("/o/echo-head").status, 200);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/o/echo-head").status, 200);
  const std::uint64_t peak = peak_kib();
  std::cout << fmt::format("{} slow heads: from {} KiB at most to {} KiB\n", slow.size(), before, peak);
  // A head's first buffer and the frames that wait for the rest; the rest of the room is for the answer
  // nobody reads.
  constexpr std::uint64_t kEachKib = 16;
  if (!is_sanitized()) EXPECT_LE(peak, before + slow.size() * kEachKib + 8 * 1024);

  for (Raw& raw : slow) EXPECT_THAT(raw.read_to_end(), StartsWith("HTTP/1.1 408 "));
  // It is given up when it has taken nothing for client_idle.
  eventually([&] { return exchanges_in_flight() == 0; });
  EXPECT_EQ(get("/o/echo-head").status, 200);
}

}  // namespace
}  // namespace stateway::scenario
