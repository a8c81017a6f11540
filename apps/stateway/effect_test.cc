#include "stateway/effect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<config::Setting> settings(std::string_view text) {
  const auto config = config::parse(text, "F", config::system_sources());
  EXPECT_TRUE(config.has_value());
  return config ? config->settings : std::vector<config::Setting>();
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

const std::string kFile = R"(
[[listen]]
address = "127.0.0.1:8080"
[store]
path = "var/state"
[session.shop]
placement = "store"
[service.web]
command = ["web"]
health = { path = "/healthz" }
[[route]]
path = "/"
service = "web"
session = "shop"
)";

constexpr const char* kCountedAt = "2026-11-21T09:28:15.431Z";

/// The effect of `file` on a gateway that runs kFile.
Effect effect(const std::string& file, std::vector<KindInForce> kinds = {{"shop", kCountedAt, 412}}) {
  auto in_force = settings(kFile);
  for (config::Setting& setting : in_force) setting.restart = false;  // the admin API does not say
  return effect_of(in_force, settings(file), kinds);
}

TEST(Effect, OfTheSameFileIsNone) {
  EXPECT_TRUE(effect(kFile).nothing());
  EXPECT_TRUE(effect(kFile + "[log]\nformat = \"json\"\n").nothing()) << "the default";
}

TEST(Effect, SaysEachKeyThatChanges) {
  const struct {
    const char *what, *with, *line;
  } rows[] = {
      {"[store]", "[gateway]\ndrain_timeout = \"5s\"\n[store]", "gateway: drain_timeout 30s → 5s"},
      {"placement = \"store\"", "idle = \"10m\"", "session shop: idle 30m → 10m"},
      {"\"web\"]", "\"web\"]\ncount = 4", "service web: count 1 → 4"},
      {"\"web\"]", "\"web\", \"--secret\"]",
       "service web: command changed; its processes are restarted one after the other"},
      {"\"/healthz\"", "\"/up\"", "service web: health.path /healthz → /up"},
      {"session = \"shop\"", "session = \"shop\"\nmax_body = \"1KiB\"", "route /: max_body 0 → 1KiB"},
      {"[store]", "[[listen]]\naddress = \"127.0.0.1:8081\"\n[store]", "listen 127.0.0.1:8081 added"},
      {"[session.shop]", "[session.new]\nplacement = \"client\"\n[session.shop]",
       "session new added, placement client"},
      {"[service.web]", "[[route]]\npath = \"/a\"\nservice = \"web\"\nsession = \"shop\"\n[service.web]",
       "route /a added: service web, session shop"},
      {"[service.web]", "[service.api]\ninstances = [\"127.0.0.1:1\"]\n[service.web]", "service api added"},
  };
  for (const auto& row : rows) {
    const Effect found = effect(replaced(kFile, row.what, row.with));
    EXPECT_THAT(found.changes, ElementsAre(row.line));
    EXPECT_THAT(found.restarts, IsEmpty());
  }
}

TEST(Effect, SaysWhatGoes) {
  const Effect found =
      effect(replaced(replaced(replaced(kFile, "session.shop", "session.cart"), "\"shop\"", "\"cart\""),
                      "path = \"/\"", "path = \"/cart\""));
  EXPECT_THAT(found.changes, ElementsAre("session cart added, placement store",
                                         "route /cart added: service web, session cart",
                                         "session shop removed: nothing opens its sessions any more, 412 in "
                                         "the store (counted at 2026-11-21T09:28:15Z)",
                                         "route / removed"));
  EXPECT_THAT(effect(replaced(kFile, "health = { path = \"/healthz\" }", "")).changes.front(),
              "service web: health.path /healthz → none");
}

TEST(Effect, KeysThatNeedARestartStandApart) {
  const Effect found = effect(replaced(replaced(kFile, "var/state\"", "var/state\"\nmemory = \"1MiB\""),
                                       "placement = \"store\"", ""));
  EXPECT_THAT(found.restarts, ElementsAre("store.memory: 896MiB → 1MiB"));
  EXPECT_THAT(found.changes, IsEmpty());
  EXPECT_TRUE(found.refused());
  EXPECT_FALSE(effect(replaced(kFile, "placement = \"store\"", "idle = \"10m\"")).refused());
}

TEST(Effect, AnotherStoreIsOpenedIfItsSessionsCanMove) {
  const Effect left = effect(replaced(kFile, "var/state", "var/other"));
  EXPECT_THAT(left.restarts, ElementsAre("store embedded at var/other in place of embedded at var/state, "
                                         "unless [store.previous] names it"));
  EXPECT_THAT(left.changes, IsEmpty());
  const Effect moves = effect(
      replaced(kFile, "path = \"var/state\"",
               "kind = \"redis\"\nurl = \"redis://:secret@h\"\n[store.previous]\npath = \"var/state\""));
  EXPECT_THAT(moves.restarts, IsEmpty());
  EXPECT_THAT(moves.changes, testing::Contains("store.previous added"));
  EXPECT_THAT(
      moves.changes,
      testing::Contains("store redis in place of embedded at var/state; sessions move as they are used"));
  for (const std::string& line : moves.changes) EXPECT_THAT(line, testing::Not(testing::HasSubstr("secret")));
}

TEST(Effect, SaysHowManySessionsMoveOrStartAnew) {
  const auto line = [](std::string_view from, std::string_view to, std::vector<KindInForce> kinds) {
    const auto with = [](std::string_view placement) {
      return settings(replaced(kFile, "placement = \"store\"", fmt::format("placement = \"{}\"", placement)));
    };
    const Effect found = effect_of(with(from), with(to), kinds);
    EXPECT_EQ(found.changes.size(), 1u);
    return found.changes.front();
  };
  EXPECT_EQ(line("store", "client", {{"shop", kCountedAt, 412}}),
            "session shop: placement store → client; sessions move into their cookies, as far as they "
            "fit, each with its next exchange: 412 in the store (counted at 2026-11-21T09:28:15Z)");
  EXPECT_EQ(line("store", "client", {{"shop", "", 0}}),
            "session shop: placement store → client; sessions move into their cookies, as far as they "
            "fit, each with its next exchange: the sessions in the store (not counted yet)");
  EXPECT_EQ(line("store", "instance", {{"shop", kCountedAt, 1}}),
            "session shop: placement store → instance; all sessions start anew: 1 in the store (counted at "
            "2026-11-21T09:28:15Z)");
  EXPECT_EQ(line("client", "instance", {{"shop", kCountedAt, 2}}),
            "session shop: placement client → instance; all sessions start anew: 2 in the store (counted at "
            "2026-11-21T09:28:15Z), and "
            "those in cookies, which nobody can count");
  EXPECT_EQ(line("client", "store", {{"shop", kCountedAt, 3}}),
            "session shop: placement client → store; each session moves out of its cookie with its next "
            "exchange; nobody can count them, and after 1d the last one is here or over; 3 in the "
            "store (counted at 2026-11-21T09:28:15Z) already");
  EXPECT_EQ(line("instance", "store", {{"shop", kCountedAt, 0}}),
            "session shop: placement instance → store; each session moves with its next exchange, if its "
            "instance hands it out as the adapters do; else it starts anew; nobody can count them");
}

}  // namespace
}  // namespace stateway
