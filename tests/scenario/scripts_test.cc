// Every file of scripts/ is a test: <folder>_<file>. One gateway for all scripts that share a configuration.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include "player.h"
#include "site.h"

namespace stateway::scenario {
namespace {

namespace fs = std::filesystem;

/// The gateway of one configuration, and the port it takes for its instances.
class Stage : public Site {
 public:
  explicit Stage(const std::string& config) : upstream(Address{.host = "127.0.0.1"}) {
    std::string text = config;
    for (std::size_t at; (at = text.find("@UPSTREAM@")) != std::string::npos;)
      text.replace(at, 10, to_string(upstream.address()));
    start(text);
    wait_until_its_checks_are_over();
  }
  ~Stage() override { TearDown(); }
  /// Forgets connections of checks, and of a script that failed.
  void clear_upstream() {
    while (upstream.accept(Duration::zero()).connected()) {
    }
  }
  void TestBody() override {}

  using Site::gateway;

  UpstreamPort upstream;

 private:
  // An instance without health checks is connected to once, and then is up.
  void wait_until_its_checks_are_over() {
    eventually([&] {
      const auto all = instances();
      return !all.empty() && std::ranges::all_of(all, [](const auto& i) { return i.state == "up"; });
    });
  }
};

class Scripts : public testing::TestWithParam<fs::path> {
 protected:
  static void TearDownTestSuite() { stages().clear(); }

  static std::map<fs::path, std::unique_ptr<Stage>>& stages() {
    static std::map<fs::path, std::unique_ptr<Stage>> all;
    return all;
  }
  /// By the configuration beside the script, or that of all.
  static Stage& stage_of(const fs::path& script) {
    fs::path config = script.parent_path() / "gateway.toml";
    if (!fs::exists(config)) config = fs::path(SCRIPTS) / "gateway.toml";
    std::unique_ptr<Stage>& stage = stages()[config];
    if (stage == nullptr) stage = std::make_unique<Stage>(lab::read_file(config));
    return *stage;
  }
};

TEST_P(Scripts, Plays) {
  const auto steps = parse_script(lab::read_file(GetParam()));
  ASSERT_TRUE(steps.has_value()) << GetParam().string() << ":" << steps.error().context;
  Stage& stage = stage_of(GetParam());
  ASSERT_FALSE(HasFailure());
  stage.clear_upstream();
  const std::size_t logged = stage.gateway->log().size();
  Player(stage.gateway->clients(), stage.upstream).play(*steps, GetParam());
  if (HasFailure())
    std::cerr << "---- the gateway's log\n" << stage.gateway->log().substr(logged) << "----\n";
}

std::vector<fs::path> all_scripts() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(SCRIPTS))
    if (entry.path().extension() == ".http") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

std::string name_of(const testing::TestParamInfo<fs::path>& info) {
  std::string out = info.param.parent_path().filename().string() + "_" + info.param.stem().string();
  std::ranges::replace_if(out, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return out;
}

INSTANTIATE_TEST_SUITE_P(Http, Scripts, testing::ValuesIn(all_scripts()), name_of);

}  // namespace
}  // namespace stateway::scenario
