// A configuration as lines: complete, in one spelling, and without secrets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/keys.h"
#include "config/test_files.h"

namespace stateway::config {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRest = R"(
[[listen]]
address = "127.0.0.1:8080"
tls = { cert = "shop.pem", key = "shop.key" }
[[route]]
path = "/"
service = "web"
session = "a"
)";

std::vector<Setting> settings(std::string_view text) {
  const auto config = parse(std::string(text) + std::string(kRest), "F", test_sources());
  EXPECT_TRUE(config.has_value());
  return config ? config->settings : std::vector<Setting>();
}

std::string value(const std::vector<Setting>& all, std::string_view section, std::string_view key) {
  for (const Setting& s : all)
    if (s.section == section && s.key == key) return s.value;
  return "absent";
}

constexpr std::string_view kPlain = "[session.a]\n[service.web]\ninstances = ['127.0.0.1:1']\n";

TEST(Settings, HaveEveryKeyOfTheSectionsThatThereAre) {
  const auto all = settings(std::string(kPlain) + "health = {}\n[store.previous]\npath = 'old'\n");
  for (const Key& key : keys()) {
    if (key.release == Release::later || key.type == Type::table || key.type == Type::tables ||
        key.type == Type::named)
      continue;
    std::string section(key.section);
    if (section.starts_with("service")) section.insert(7, ".web");
    if (section == "session") section = "session.a";
    if (section == "listen.tls") section = "listen 127.0.0.1:8080 tls";
    if (section == "listen") section = "listen 127.0.0.1:8080";
    if (section == "route") section = "route /";
    EXPECT_NE(value(all, section, key.name), "absent") << section << " " << key.name;
  }
  EXPECT_EQ(value(all, "session.a", "idle"), "30m");
  EXPECT_EQ(value(all, "session.a", "cookie"), "a");
  EXPECT_EQ(value(all, "session.a", "overlap"), "none");
  EXPECT_EQ(value(all, "service.web", "instances"), "[\"127.0.0.1:1\"]");
  EXPECT_EQ(value(settings(kPlain), "service.web.health", "path"), "absent") << "there are no checks";
}

TEST(Settings, OneMeaningHasOneSpelling) {
  const auto plain = settings(kPlain);
  const auto same = settings(
      "[session.a]\ncookie = 'a'\nidle = '1800s'\nabsolute = '1440m'\ninline_max = '4096'\nplacement = "
      "'store'\n"
      "[service.web]\ninstances = ['127.0.0.1:1']\nretry = { attempts = 3 }\n");
  EXPECT_EQ(value(same, "session.a", "absolute"), "1d");
  EXPECT_EQ(same, plain);
}

TEST(Settings, TellWhatOnlyARestartChanges) {
  for (const Setting& s : settings(kPlain)) {
    if (s.section == "store" && s.key == "path") EXPECT_TRUE(s.restart);
    if (s.section == "session.a") EXPECT_FALSE(s.restart);
  }
}

TEST(Settings, HoldNoSecrets) {
  const auto all =
      settings("[session.a]\ncookie = 'x'\n[service.web]\ncommand = ['web', '--password=hunter2']\n");
  for (const Setting& s : all) EXPECT_THAT(s.value, Not(HasSubstr("hunter2")));
  EXPECT_THAT(value(all, "service.web", "command"), testing::MatchesRegex("sha256 [0-9a-f]{16}"));
}

TEST(Settings, RoutesAndListenersAreToldApart) {
  const auto all = settings(std::string(kPlain) +
                            "[[listen]]\naddress = '127.0.0.1:0'\n[[listen]]\naddress = '127.0.0.1:0'\n"
                            "[[route]]\npath = '/'\nmethods = ['PUT']\nhost = 'h'\nservice = 'web'\n");
  EXPECT_EQ(value(all, "listen 127.0.0.1:0", "address"), "127.0.0.1:0");
  EXPECT_EQ(value(all, "listen 127.0.0.1:0 (2)", "address"), "127.0.0.1:0");
  EXPECT_EQ(value(all, "route / (host h) (methods [\"PUT\"])", "session"), "none");
  EXPECT_EQ(value(all, "route /", "session"), "a");
}

}  // namespace
}  // namespace stateway::config
