#include "stateway/cli.h"

#include "stateway/descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

namespace stateway {
namespace {

/// A stream whose text can be read back.
class Capture {
 public:
  Capture() : file_(std::tmpfile(), &std::fclose) {}
  std::FILE* get() const { return file_.get(); }
  std::string text() const {
    std::rewind(file_.get());
    std::string out(64 * 1024, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), file_.get()));
    return out;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

struct Outcome {
  std::expected<Command, int> command;
  std::string out;
  std::string err;
};

Outcome parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "stateway");
  const Capture out, err;
  auto command =
      parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out.get(), err.get());
  return {std::move(command), out.text(), err.text()};
}

TEST(CommandLine, KnowsItsCommands) {
  struct Row {
    std::vector<const char*> arguments;
    Command::What what;
    const char* config_path;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{"run"}, Command::What::run, "stateway.toml"},
           {{"run", "-c", "a.toml"}, Command::What::run, "a.toml"},
           {{"run", "--config=a.toml"}, Command::What::run, "a.toml"},
           {{"check"}, Command::What::check, "stateway.toml"},
           {{"check", "-ca.toml"}, Command::What::check, "a.toml"},
           {{"version"}, Command::What::version, "stateway.toml"},
       }) {
    const Outcome outcome = parse(row.arguments);
    ASSERT_TRUE(outcome.command) << outcome.err;
    EXPECT_EQ(outcome.command->what, row.what);
    EXPECT_EQ(outcome.command->config_path, row.config_path);
    EXPECT_EQ(outcome.out + outcome.err, "");
  }
}

TEST(CommandLine, HelpIsEverywhereAndNoFailure) {
  for (const auto& arguments : std::initializer_list<std::vector<const char*>>{
           {"--help"}, {"-h"}, {"run", "--help"}, {"check", "-h"}, {"version", "--help"}}) {
    const Outcome outcome = parse(arguments);
    ASSERT_FALSE(outcome.command);
    EXPECT_EQ(outcome.command.error(), kExitDone);
    EXPECT_THAT(outcome.out, testing::HasSubstr("Usage: stateway"));
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_THAT(parse({"--help"}).out,
              testing::AllOf(testing::HasSubstr("run"), testing::HasSubstr("check"),
                             testing::HasSubstr("version"), testing::HasSubstr("Exit codes")));
  EXPECT_THAT(parse({"check", "--help"}).out, testing::HasSubstr("stateway.toml"));
}

TEST(CommandLine, WrongUseIsOneSentenceAndExitCode2) {
  for (const auto& arguments : std::initializer_list<std::vector<const char*>>{{},
                                                                               {"serve"},
                                                                               {"run", "extra"},
                                                                               {"run", "-c"},
                                                                               {"run", "--port", "80"},
                                                                               {"version", "-c", "x"},
                                                                               {"run", "check"}}) {
    const Outcome outcome = parse(arguments);
    ASSERT_FALSE(outcome.command) << arguments.size();
    EXPECT_EQ(outcome.command.error(), kExitBadUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err,
                testing::MatchesRegex("stateway: [^\n]*; see stateway (run |version )?--help\n"));
  }
}

TEST(Check, PrintsOkOrEveryProblem) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "stateway_cli_test";
  std::filesystem::create_directories(folder);
  const std::string good = folder / "good.toml", bad = folder / "bad.toml";
  constexpr const char* kText =
      "[[listen]]\naddress = '127.0.0.1:0'\n[service.s]\ninstances = ['10.0.0.1:80']\n"
      "[[route]]\npath = '/'\nservice = 's'\n";
  std::ofstream(good) << kText;
  std::ofstream(bad) << kText << "sevice = 's'\nmax_body = 1\n";

  const Capture good_out, good_err, bad_out, bad_err;
  EXPECT_EQ(run_check(good, good_out.get(), good_err.get()), kExitDone);
  EXPECT_EQ(good_out.text(), "ok\n");
  EXPECT_THAT(good_err.text(), testing::MatchesRegex(good + ":4:13: warning: [^\n]*no token_file[^\n]*\n"));
  EXPECT_EQ(run_check(bad, bad_out.get(), bad_err.get()), kExitBadUsage);
  EXPECT_EQ(bad_out.text(), "");
  EXPECT_EQ(bad_err.text(),
            bad + ":8:1: unknown key \"sevice\" in [[route]]; did you mean \"service\"?\n" + bad +
                ":9:12: max_body must be a size such as \"512\", \"64KiB\" or \"1MiB\", not an integer\n");
  std::filesystem::remove_all(folder);
}

TEST(Version, NamesTheProgram) {
  const Capture out;
  EXPECT_EQ(print_version(out.get()), kExitDone);
  EXPECT_THAT(out.text(), testing::MatchesRegex("stateway [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Descriptors, ClientsLeaveRoomForTheStoreAndForInstances) {
  EXPECT_EQ(connections_for(20'512), 10'000u);
  EXPECT_EQ(connections_for(1024), 256u);
  EXPECT_EQ(connections_for(kDescriptorsReserved), 1u);
  EXPECT_EQ(connections_for(0), 1u);
}

}  // namespace
}  // namespace stateway
