// `stateway check` and the command line.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "io/sockets.h"
#include "site.h"

namespace stateway::scenario {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class Check : public testing::Test {
 protected:
  Ended check(std::string_view config) {
    std::ofstream(folder / "stateway.toml") << config;
    return run_stateway(folder, {"check", "-c", folder / "stateway.toml"});
  }
  static constexpr std::string_view kGood = R"([[listen]]
address = "127.0.0.1:8080"
[service.shop]
instances = ["127.0.0.1:9001"]
[[route]]
path = "/"
service = "shop"
)";
  Folder folder;
};

TEST_F(Check, AGoodConfigurationIsOk) {
  const Ended run = check(kGood);
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "ok\n");
}

TEST_F(Check, TheExamplesAreOk) {
  const Ended store = run_stateway(folder, {"check", "-c", EXAMPLE_CONFIG});
  EXPECT_EQ(store.status, 0) << store.output;
  EXPECT_EQ(store.output, "ok\n");
  // The same file but for the one line, which leaves one key without effect.
  const std::string memory = std::filesystem::path(EXAMPLE_CONFIG).replace_filename("memory.toml");
  const Ended instance = run_stateway(folder, {"check", "-c", memory});
  EXPECT_EQ(instance.status, 0) << instance.output;
  EXPECT_THAT(
      instance.output,
      MatchesRegex("[^\n]*: warning: replay has no effect with placement = \"instance\"[^\n]*\nok\n"));
}

TEST_F(Check, EveryProblemIsReportedWithItsPlace) {
  const Ended run = check(R"([[listen]]
address = "127.0.0.1:99999"
[service.shop]
instances = ["127.0.0.1:9001"]
ballance = "p2c"
[[route]]
path = "/"
service = "shoop"
)");
  EXPECT_EQ(run.status, 2);
  const std::string file = folder / "stateway.toml";
  EXPECT_THAT(run.output, HasSubstr(file + ":2:11: "));
  EXPECT_THAT(run.output, HasSubstr(file + ":5:1: "));
  EXPECT_THAT(run.output, HasSubstr("ballance"));
  EXPECT_THAT(run.output, HasSubstr(file + ":8:11: "));
  EXPECT_THAT(run.output, HasSubstr("shoop"));
}

TEST_F(Check, ASyntaxErrorHasAPlaceToo) {
  const Ended run = check("[[listen]]\naddress = \"127.0.0.1:8080\n");
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.output, HasSubstr(folder / "stateway.toml:2:"));
}

TEST_F(Check, AMissingFileIsAProblemNotACrash) {
  const Ended run = run_stateway(folder, {"check", "-c", folder / "missing.toml"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.output, HasSubstr("missing.toml"));
}

TEST_F(Check, SecretsOfTheEnvironmentAreNotRepeated) {
  const Ended run = check(std::string(kGood) + "[store]\nkind = \"${HOME}\"\n");
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.output, Not(HasSubstr(std::getenv("HOME"))));
}

TEST_F(Check, RunRefusesWhatCheckRefuses) {
  std::ofstream(folder / "stateway.toml") << "[gateway]\nthread = 1\n";
  const Ended run = run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.output, HasSubstr("stateway.toml:2:1: "));
}

TEST_F(Check, TheCommandLineHelpsAndRefuses) {
  EXPECT_THAT(run_stateway(folder, {"version"}).output, MatchesRegex("stateway [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  const Ended help = run_stateway(folder, {"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, HasSubstr("check"));
  EXPECT_EQ(run_stateway(folder, {}).status, 2);
  EXPECT_EQ(run_stateway(folder, {"frobnicate"}).status, 2);
  EXPECT_EQ(run_stateway(folder, {"run", "--frobnicate"}).status, 2);
}

TEST_F(Check, AnAddressInUseEndsTheStartWithOneSentence) {
  const auto taken = io::ListenSocket::open({.host = "127.0.0.1"});
  std::ofstream(folder / "stateway.toml") << fmt::format(R"([[listen]]
address = "{}"
[admin]
address = "127.0.0.1:0"
[store]
kind = "memory"
[service.shop]
instances = ["127.0.0.1:9001"]
[[route]]
service = "shop"
path = "/"
)",
                                                         to_string(taken->address()));
  const Ended run = run_stateway(folder, {"run", "-c", folder / "stateway.toml"});
  EXPECT_EQ(run.status, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr(to_string(taken->address())));
}

}  // namespace
}  // namespace stateway::scenario
