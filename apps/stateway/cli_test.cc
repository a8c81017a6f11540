#include "stateway/cli.h"
#include "stateway/check_command.h"

#include "stateway/columns.h"
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

TEST(CommandLine, KnowsWhatCommandsForARunningGatewayAreTold) {
  const Outcome list = parse({"session", "list", "--admin", "unix:a", "--token-file", "t", "--principal",
                              "ann", "--kind=cart", "--limit", "7", "--json"});
  ASSERT_TRUE(list.command) << list.err;
  EXPECT_EQ(list.command->what, Command::What::session_list);
  EXPECT_EQ(list.command->admin.address, "unix:a");
  EXPECT_EQ(list.command->admin.token_file, "t");
  EXPECT_EQ(list.command->principal, "ann");
  EXPECT_EQ(list.command->kind, "cart");
  EXPECT_EQ(list.command->limit, 7u);
  EXPECT_TRUE(list.command->json);
  EXPECT_EQ(parse({"session", "list"}).command->limit, 0u);
  EXPECT_EQ(parse({"key", "list"}).command->what, Command::What::key_list);
  EXPECT_EQ(parse({"key", "rotate", "-c", "a"}).command->config_path, "a");
  EXPECT_EQ(parse({"store", "migrate"}).command->what, Command::What::store_migrate);
  EXPECT_EQ(parse({"store", "migrate", "-c", "a"}).command->config_path, "a");
  EXPECT_EQ(parse({"check", "--effect"}).command->effect, true);
}

TEST(CommandLine, IdsMayBeginWithADash) {
  using Ids = std::vector<std::string>;
  const Outcome show = parse({"session", "show", "-ABCDEFGHIJKLMN_", "--json"});
  ASSERT_TRUE(show.command) << show.err;
  EXPECT_EQ(show.command->ids, Ids{"-ABCDEFGHIJKLMN_"});
  EXPECT_TRUE(show.command->json);
  const Outcome end =
      parse({"session", "end", "ABCDEFGHIJKLMNOP", "--AAAAAAAAAAAAAA", "-c", "named_like_an_id"});
  ASSERT_TRUE(end.command) << end.err;
  EXPECT_EQ(end.command->ids, (Ids{"ABCDEFGHIJKLMNOP", "--AAAAAAAAAAAAAA"}));
  EXPECT_EQ(end.command->config_path, "named_like_an_id");
  EXPECT_EQ(parse({"session", "end", "--", "-ABCDEFGHIJKLMNO"}).command->ids, Ids{"-ABCDEFGHIJKLMNO"});
}

TEST(CommandLine, HelpIsEverywhereAndNoFailure) {
  for (const auto& arguments : std::initializer_list<std::vector<const char*>>{{"--help"},
                                                                               {"-h"},
                                                                               {"run", "--help"},
                                                                               {"check", "-h"},
                                                                               {"version", "--help"},
                                                                               {"session", "--help"},
                                                                               {"session", "list", "-h"},
                                                                               {"session", "show", "--help"},
                                                                               {"session", "end", "--help"},
                                                                               {"key", "-h"},
                                                                               {"key", "list", "--help"},
                                                                               {"key", "rotate", "-h"},
                                                                               {"store", "migrate", "-h"}}) {
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
  for (const auto& arguments :
       std::initializer_list<std::vector<const char*>>{{},
                                                       {"serve"},
                                                       {"run", "extra"},
                                                       {"run", "-c"},
                                                       {"run", "--port", "80"},
                                                       {"version", "-c", "x"},
                                                       {"session"},
                                                       {"session", "frob"},
                                                       {"session", "show"},
                                                       {"session", "show", "short"},
                                                       {"session", "list", "--limit=0"},
                                                       {"session", "list", "--limit=x"},
                                                       {"key"},
                                                       {"store"},
                                                       {"store", "migrate", "extra"},
                                                       {"key", "list", "extra"},
                                                       {"check", "--effects"},
                                                       {"run", "check"}}) {
    const Outcome outcome = parse(arguments);
    ASSERT_FALSE(outcome.command) << arguments.size();
    EXPECT_EQ(outcome.command.error(), kExitBadUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, testing::MatchesRegex("stateway: [^\n]*; see stateway ([a-z]+ ){0,2}--help\n"));
  }
}

TEST(Columns, AreAsWideAsTheFirstRowsNeed) {
  const Capture out;
  Columns columns(out.get(), {"A", "LONG", "C"});
  columns.print({{"1", "x", "c"}, {"héé", "y", "d"}});
  columns.print({{"wider", "z", "e"}});
  EXPECT_EQ(out.text(), "A    LONG  C\n1    x     c\nhéé  y     d\nwider  z     e\n");
}

TEST(Columns, ATerminalObeysNoNames) {
  EXPECT_EQ(printable("a\x1b[2Jb\x7f\n"), "a?[2Jb??");
  EXPECT_EQ(printable("caf\xc3\xa9 \xc2\x9b"
                      "31m"),
            "caf\xc3\xa9 ?31m");
  EXPECT_EQ(to_the_second("2026-11-21T09:27:55.419Z"), "2026-11-21T09:27:55Z");
  EXPECT_EQ(to_the_second(""), "-");
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
  EXPECT_EQ(run_check({.config_path = good}, good_out.get(), good_err.get()), kExitDone);
  EXPECT_EQ(good_out.text(), "ok\n");
  EXPECT_THAT(good_err.text(), testing::MatchesRegex(good + ":4:13: warning: [^\n]*no token_file[^\n]*\n"));
  EXPECT_EQ(run_check({.config_path = bad}, bad_out.get(), bad_err.get()), kExitBadUsage);
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
