#include "config/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "config/keys.h"
#include "config/test_describe.h"
#include "config/test_files.h"
#include "config/test_stores.h"

namespace stateway::config {
namespace {

/// Every key of this release, with another value than its default wherever it has one.
constexpr std::string_view kEveryKey = R"(
[gateway]
threads = 4
drain_timeout = "5s"
trusted_proxies = ["10.0.0.0/8", "::1", "unix"]
session_address = "10.0.0.1:9000"
key_file = "${DIR}/keys"
overlap_memory = "32MiB"
hybrid_memory = "16MiB"
debug_headers = true
[log]
access = false
format = "text"
[limits]
head = "32KiB"
target = "4KiB"
fields = 64
head_timeout = "3s"
client_idle = "20s"
connections = 500
[[listen]]
address = "0.0.0.0:8080"
[[listen]]
address = "unix:${DIR}/gateway.sock"
tls = { cert = 'shop.pem', key = 'shop.key' }
[admin]
address = "[::]:8091"
token_file = "${DIR}/admin.token"
[store]
kind = "embedded"
path = "${DIR}/state"
durability = "os"
memory = "64MiB"
sessions_max = 2000
[session.shop]
placement = "store"
idle = "10m"
absolute = "7d"
cookie = "sid"
secure = "always"
persistent = true
lane = "serial"
lane_queue = 7
lane_wait = "2s"
overlap = "refuse"
inline_max = "2KiB"
document_max = "64KiB"
[session.sticky]
placement = "instance"
on_lost_instance = "fail"
[session.plain]
placement = "hybrid"
[service.shop]
command = ["build/cart", "--verbose"]
count = 3
socket = true
token_file = "shop.token"
balance = "round_robin"
concurrency_per_instance = 4
queue = 10
crash_limit = 3
slow_start = "20s"
eject = { failures = 7, time = "1s", time_max = "2s" }
[service.shop.health]
path = "/up?x=1"
interval = "2s"
timeout = "100ms"
fall = 3
rise = 1
[service.fixed]
instances = ["127.0.0.1:${PORT}", "unix:/run/shop.sock", "Shop.Internal:80", "[2001:db8::1]:80"]
retry = { attempts = 1, budget = 1 }
timeout = { connect = "2s", response = "5s", idle = "6s" }
[[route]]
path = "/shop"
host = "Shop.Example"
methods = ["GET", "POST"]
service = "shop"
session = "shop"
affinity = "header:X-Shop"
origins = ["https://Other.example", "https://a.example:443", "http://a.example:443", "http://[::1]:80"]
max_body = "10MiB"
replay = "re-execute"
auth = "off"
idempotency = "off"
[[route]]
path = "/"
service = "fixed"
session = "plain"
[[route]]
path = "/sticky"
service = "fixed"
session = "sticky"
)";

constexpr std::string_view kEveryKeyRead =
    R"(gateway threads=4 drain=5000 trusted=[10.0.0.0/8 ::1/128 unix] session=10.0.0.1:9000
  keys=/srv/keys overlap=33554432 hybrid=16777216 debug=true
log access=false format=1
limits head=32768 target=4096 fields=64 head_timeout=3000 idle=20000 connections=500
listen 0.0.0.0:8080
listen unix:/srv/gateway.sock tls=587,241
admin [::]:8091 token=xyz
store kind=0 path=/srv/state durability=1 memory=67108864 sessions=2000
session shop placement=2 lost=0 idle=600000 absolute=604800000
  cookie=sid secure=1 persistent=true
  lane=1 queue=7 wait=2000 overlap=1 inline=2048 document=65536
session sticky placement=1 lost=1 idle=1800000 absolute=86400000
  cookie=sticky secure=0 persistent=false
  lane=0 queue=100 wait=10000 overlap=- inline=4096 document=1048576
session plain placement=3 lost=0 idle=1800000 absolute=86400000
  cookie=plain secure=0 persistent=false
  lane=0 queue=100 wait=10000 overlap=- inline=4096 document=1048576
service shop instances=[]
  command=[build/cart --verbose] count=3 socket=true token=abc123
  balance=1 health=/up?x=1,2000,100,3,1 retry=3,0.2
  timeout=1000,30000,60000 concurrency=4 queue=10
  drain=5000 crash=3 slow=20000 eject=7,1000,2000
service fixed instances=[127.0.0.1:9001 unix:/run/shop.sock shop.internal:80 [2001:db8::1]:80]
  command=[] count=1 socket=false token=-
  balance=0 health=- retry=1,1
  timeout=2000,5000,6000 concurrency=0 queue=1000
  drain=5000 crash=5 slow=0 eject=5,10000,300000
route /shop host=shop.example methods=[GET POST] service=shop session=shop affinity=header:X-Shop
  origins=[https://other.example https://a.example http://a.example:443 http://[::1]] body=10485760 replay=1
route / host=- methods=[] service=fixed session=plain affinity=-
  origins=[] body=0 replay=0
route /sticky host=- methods=[] service=fixed session=sticky affinity=-
  origins=[] body=0 replay=0
)";

/// The keys that `text` sets, as the table of keys names them: "session.idle", "service.retry.attempts".
std::set<std::string> keys_set_in(std::string_view text) {
  std::set<std::string> out;
  const auto add = [&out](std::string_view section, std::string_view entry) {
    out.insert(fmt::format("{}.{}", section, entry.substr(0, entry.find(' '))));
  };
  std::string section;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with('[')) {  // [gateway], [[listen]], [session.NAME], [service.NAME.health]
      std::string_view header = line.substr(line.find_first_not_of('['));
      header = header.substr(0, header.find(']'));
      const std::size_t name = std::min(header.find('.'), header.size());
      const std::size_t part = std::min(header.find('.', name + 1), header.size());
      section = fmt::format("{}{}", header.substr(0, name), header.substr(part));
      if (part < header.size()) out.insert(section);
    } else if (!line.empty()) {
      add(section, line);
      const std::size_t brace = line.find("= {");
      const std::string inner = fmt::format("{}.{}", section, line.substr(0, line.find(' ')));
      for (std::size_t at = brace; at < line.size(); at = line.find(", ", at + 1))
        add(inner, line.substr(line.find_first_not_of("={, ", at)));
    }
  }
  return out;
}

// keys_test.cc has a bad value of each; here is the good one.
TEST(Config, TheFileAboveHasEveryKeyOfThisRelease) {
  std::set<std::string> set = keys_set_in(kEveryKey);
  for (const std::string_view more : {kStoreElsewhere, kStoreFromElsewhere}) set.merge(keys_set_in(more));
  for (const Key& key : keys())
    if (key.release != Release::later && !key.section.empty())
      EXPECT_TRUE(set.contains(fmt::format("{}.{}", key.section, key.name)))
          << key.section << "." << key.name;
}

TEST(Config, ReadsEveryKey) {
  const auto config = parse(kEveryKey, "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(describe(*config), kEveryKeyRead);
  EXPECT_THAT(config->warnings,
              testing::ElementsAre(
                  "F:71:13: warning: [service.fixed] has instances on other machines and no token_file: "
                  "whoever reaches them can pretend to be the gateway"));
}

TEST(Config, KeysWithoutEffectAreWarnedOf) {
  const auto config = parse(R"(
[[listen]]
address = "127.0.0.1:8080"
[session.a]
placement = "instance"
overlap = "last"
inline_max = "1KiB"
document_max = "1KiB"
[session.b]
on_lost_instance = "fail"
[service.s]
command = ["x"]
[[route]]
path = "/a"
service = "s"
session = "a"
replay = "re-execute"
[[route]]
path = "/b"
service = "s"
session = "b"
)",
                            "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_THAT(
      config->warnings,
      testing::UnorderedElementsAre(
          "F:17:10: warning: replay has no effect with placement = \"instance\" of [session.a]: what a "
          "request does is in an instance's memory, and never done twice",
          "F:6:11: warning: overlap has no effect with placement = \"instance\"",
          "F:7:14: warning: inline_max has no effect with placement = \"instance\"",
          "F:8:16: warning: document_max has no effect with placement = \"instance\"",
          "F:10:20: warning: on_lost_instance has no effect without placement = \"instance\""));
}

TEST(Config, WarnsOfWhatARestartForgets) {
  constexpr std::string_view kWhole = R"(
[store]
kind = "{}"
[session.a]
placement = "{}"
on_lost_instance = "{}"
[[listen]]
address = "127.0.0.1:8080"
[service.run]
{}
[[route]]
path = "/"
service = "run"
session = "a"
[[route]]
path = "/b"
service = "run"
session = "a"
)";
  const auto warnings = [&](std::string_view kind, std::string_view placement, std::string_view lost,
                            std::string_view service) {
    const auto config = parse(fmt::format(kWhole, kind, placement, lost, service), "F", system_sources());
    return config ? config->warnings : std::vector<std::string>{"refused"};
  };
  constexpr std::string_view kFixed = "instances = ['127.0.0.1:1']", kCommand = "command = ['x']";
  const std::string forgets =
      "F:3:8: warning: kind = \"memory\" forgets log-ins and ends of [session.a] when the gateway stops, and "
      "cookies from before them open it again: use \"embedded\"";
  const std::string fails =
      "F:6:20: warning: processes of [service.run] never come back with the sessions they had, so \"fail\" "
      "answers 503 until a cookie is idle: use \"renew\"";
  EXPECT_THAT(warnings("embedded", "instance", "renew", kCommand), testing::IsEmpty());
  EXPECT_THAT(warnings("embedded", "instance", "fail", kFixed), testing::IsEmpty());
  EXPECT_THAT(warnings("embedded", "instance", "fail", kCommand), testing::ElementsAre(fails));
  EXPECT_THAT(warnings("memory", "instance", "fail", kCommand), testing::ElementsAre(forgets, fails));
  EXPECT_THAT(warnings("memory", "instance", "renew", kFixed), testing::ElementsAre(forgets));
  EXPECT_THAT(warnings("memory", "client", "renew", kCommand), testing::Contains(forgets));
  EXPECT_THAT(warnings("memory", "store", "renew", kCommand), testing::Not(testing::Contains(forgets)));
}

TEST(Config, DefaultsAreThoseOfTheContract) {
  const auto config = parse(R"(
[[listen]]
address = "127.0.0.1:8080"
[session.s]
[service.s]
command = ["x"]
[[route]]
path = "/"
service = "s"
session = "s"
)",
                            "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(describe(*config),
            R"(gateway threads=0 drain=30000 trusted=[] session=127.0.0.1:0
  keys=var/stateway.keys overlap=67108864 hybrid=67108864 debug=false
log access=true format=0
limits head=16384 target=8192 fields=100 head_timeout=10000 idle=60000 connections=10000
listen 127.0.0.1:8080
admin 127.0.0.1:8090 token=-
store kind=0 path=var/state durability=0 memory=939524096 sessions=1000000
session s placement=2 lost=0 idle=1800000 absolute=86400000
  cookie=s secure=0 persistent=false
  lane=0 queue=100 wait=10000 overlap=- inline=4096 document=1048576
service s instances=[]
  command=[x] count=1 socket=false token=-
  balance=0 health=- retry=3,0.2
  timeout=1000,30000,60000 concurrency=0 queue=1000
  drain=30000 crash=5 slow=0 eject=5,10000,300000
route / host=- methods=[] service=s session=s affinity=-
  origins=[] body=0 replay=0
)");
  EXPECT_THAT(config->warnings, testing::IsEmpty());
}

TEST(Config, AStoreInMemoryPromisesNoDurability) {
  const auto config = parse(
      "[store]\nkind = 'memory'\n[[listen]]\naddress = '127.0.0.1:0'\n[service.s]\n"
      "command = ['x']\n[[route]]\npath = '/'\nservice = 's'\n",
      "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->store.kind, store::Kind::memory);
  EXPECT_EQ(config->store.durability, store::Durability::memory);
}

TEST(Config, ServicesKnowHowLongTheirBoundClientsMayBeIdle) {
  const auto config = parse(R"([session.short]
placement = "instance"
idle = "5m"
[session.long]
placement = "instance"
idle = "1h"
[session.stored]
idle = "2h"
[service.bound]
instances = ["127.0.0.1:1"]
[service.free]
instances = ["127.0.0.1:2"]
[[listen]]
address = "127.0.0.1:0"
[[route]]
path = "/long"
service = "bound"
session = "long"
[[route]]
path = "/short"
service = "bound"
session = "short"
[[route]]
path = "/stored"
service = "free"
session = "stored"
[[route]]
path = "/"
service = "bound"
)",
                            "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->services.at(0).bound_idle, std::chrono::hours(1));
  EXPECT_EQ(config->services.at(1).bound_idle, std::chrono::hours(0));
}

TEST(Config, WarnsOfWhatNoRouteUses) {
  const auto config = parse(
      "[session.a]\n[service.b]\ncommand = ['x']\n[[listen]]\naddress = '127.0.0.1:0'\n"
      "[service.s]\ncommand = ['x']\n[[route]]\npath = '/'\nservice = 's'\n",
      "F", test_sources());
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_THAT(config->warnings, testing::ElementsAre("F:1:1: warning: no route uses [session.a]",
                                                     "F:2:1: warning: no route uses [service.b]"));
}

TEST(Config, LoadNamesTheFile) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "stateway_config_test";
  std::filesystem::create_directories(folder);
  const auto lines = [](const std::string& path) {
    std::vector<std::string> out;
    if (const auto config = load(path); !config)
      for (const Problem& problem : config.error()) out.push_back(to_string(problem));
    return out;
  };
  const std::string bad = folder / "bad.toml", big = folder / "big.toml", none = folder / "none.toml";
  std::ofstream(bad) << "[gateway]\nthreads = ${X}";
  std::ofstream(big) << std::string(1024 * 1024 + 1, '#');
  EXPECT_THAT(lines(bad), testing::ElementsAre(testing::StartsWith(bad + ":2:11: not valid TOML: ")));
  EXPECT_THAT(lines(big), testing::ElementsAre(big + ": the file is over 1 MiB"));
  EXPECT_THAT(lines(none), testing::ElementsAre(none + ": No such file or directory"));
  EXPECT_THAT(lines(folder), testing::ElementsAre(folder.string() + ": Is a directory"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stateway::config
