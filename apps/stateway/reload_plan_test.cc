#include "stateway/reload_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum ReloadPlan::Fate;

upstream::ServiceOptions fixed(std::string name, std::initializer_list<const char*> addresses) {
  upstream::ServiceOptions out;
  out.name = std::move(name);
  for (const char* address : addresses) out.instances.push_back(parse_address(address).value());
  return out;
}

upstream::ServiceOptions supervised(std::string name, std::string program) {
  upstream::ServiceOptions out;
  out.name = std::move(name);
  out.command = {std::move(program)};
  return out;
}

config::Config configuration() {
  config::Config out;
  out.listen = {{parse_address("127.0.0.1:0").value()}, {parse_address("127.0.0.1:8080").value()}};
  out.admin.token = Secret("abc");
  out.sessions = {{.name = "cart", .cookie = "cart"}, {.name = "old", .cookie = "old"}};
  out.services = {fixed("shop", {"127.0.0.1:9001"}), supervised("jobs", "jobs"),
                  fixed("old", {"127.0.0.1:1"})};
  out.routes = {{.path = "/", .service = "shop"}};
  return out;
}

TEST(ReloadPlan, TheSameFileChangesNothing) {
  const ReloadPlan plan = plan_reload(configuration(), configuration());
  EXPECT_THAT(plan.changes, IsEmpty());
  EXPECT_THAT(plan.listen, ElementsAre(0u, 1u));
  EXPECT_THAT(plan.services, ElementsAre(kept, kept, kept));
}

TEST(ReloadPlan, EachChangeIsSaid) {
  const struct {
    const char* what;
    void (*change)(config::Config&);
  } rows[] = {
      {"gateway changed",
       [](auto& c) {
         c.gateway.drain_timeout += std::chrono::seconds(1);
         for (auto& service : c.services) service.drain = c.gateway.drain_timeout;
       }},
      {"gateway changed", [](auto& c) { c.gateway.debug_headers = true; }},
      {"gateway changed",
       [](auto& c) { c.gateway.trusted_proxies.push_back(PeerNetwork::parse("unix").value()); }},
      {"log changed", [](auto& c) { c.log.access = false; }},
      {"log changed", [](auto& c) { c.log.format = log::Format::text; }},
      {"limits changed", [](auto& c) { c.limits.connections_max = 1; }},
      {"admin token changed", [](auto& c) { c.admin.token = Secret("abd"); }},
      {"admin token changed", [](auto& c) { c.admin.token.reset(); }},
      {"store.sessions_max changed", [](auto& c) { c.store.sessions_max = 1; }},
      {"store embedded at other in place of embedded at var/state; its sessions are lost",
       [](auto& c) { c.store.path = "other"; }},
      {"store redis in place of embedded at var/state; sessions move as they are used",
       [](auto& c) {
         c.previous_store = c.store;
         c.store.kind = store::Kind::redis;
         c.store.url = Secret("redis://:secret@h");
       }},
      {"store.previous memory added",
       [](auto& c) { c.previous_store = store::StoreOptions{.kind = store::Kind::memory}; }},
      {"session cart changed", [](auto& c) { c.sessions[0].idle += std::chrono::seconds(1); }},
      {"session old removed", [](auto& c) { c.sessions.pop_back(); }},
      {"session new added", [](auto& c) { c.sessions.push_back({.name = "new"}); }},
      {"routes changed", [](auto& c) { c.routes[0].max_body_bytes = 1; }},
      {"listen 127.0.0.1:8080 removed", [](auto& c) { c.listen.pop_back(); }},
      {"listen 127.0.0.1:0 added", [](auto& c) { c.listen.push_back(c.listen[0]); }},
      {"service old removed", [](auto& c) { c.services.pop_back(); }},
      {"service new added", [](auto& c) { c.services.push_back(supervised("new", "x")); }},
      {"service shop changed", [](auto& c) { c.services[0] = fixed("shop", {"127.0.0.1:9002"}); }},
      {"service shop changed", [](auto& c) { c.services[0] = supervised("shop", "x"); }},
      {"service jobs changed", [](auto& c) { c.services[1].command = {"other"}; }},
      {"service jobs changed", [](auto& c) { c.services[1].token = Secret("t"); }},
  };
  for (const auto& row : rows) {
    config::Config next = configuration();
    row.change(next);
    EXPECT_THAT(plan_reload(configuration(), next).changes, ElementsAre(row.what));
  }
}

TEST(ReloadPlan, ListenersAreToldApartByAddressAndOrderIsNothing) {
  config::Config next = configuration();
  const auto any = next.listen[0], port = next.listen[1];
  next.listen = {port, {parse_address("unix:/run/s").value()}, any, any};
  const ReloadPlan plan = plan_reload(configuration(), next);
  EXPECT_THAT(plan.listen, ElementsAre(1u, std::nullopt, 0u, std::nullopt));
  EXPECT_THAT(plan.changes, ElementsAre("listen unix:/run/s added", "listen 127.0.0.1:0 added"));
}

TEST(ReloadPlan, AServiceIsAnotherOneWhenACommandTakesThePlaceOfAddresses) {
  config::Config next = configuration();
  next.services = {supervised("new", "x"), fixed("jobs", {"127.0.0.1:1"}), supervised("shop", "x"),
                   fixed("old", {"127.0.0.1:2"})};
  EXPECT_THAT(plan_reload(configuration(), next).services, ElementsAre(started, started, started, changed));
}

}  // namespace
}  // namespace stateway
