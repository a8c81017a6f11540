// Instances that are given by a name.
#include <gmock/gmock.h>

#include "upstream/monitor.h"
#include "upstream/test_on_loop.h"

namespace stateway::upstream {
namespace {

using test::fixed;
using test::until;

TEST(Names, WhichAddressesAreLookedUp) {
  for (const char* text : {"shop.internal:80", "a:1", "host-1:1", "1.2.3.x:1"})
    EXPECT_TRUE(is_looked_up(*parse_address(text))) << text;
  for (const char* text :
       {"127.0.0.1:80", "[2001:db8::1]:80", "localhost:80", "a.localhost:80", "unix:/run/x"})
    EXPECT_FALSE(is_looked_up(*parse_address(text))) << text;
}

class NamesTest : public test::ServiceTest {
 public:
  void start(std::vector<std::string> instances) {
    auto options = fixed(0);
    for (const std::string& text : instances) options.instances.push_back(*parse_address(text));
    make(options, false);
    monitor_.emplace(*service_, loop_, network_, 5ms);
  }
  /// Of those that are asked for.
  std::vector<std::string> addresses() const {
    std::vector<std::string> out;
    for (const auto& i : service_->roster()->instances)
      if (!i->drains_for(Drain::removed)) out.push_back(i->name() + "=" + to_string(i->address()));
    return out;
  }
  void until_addresses(std::vector<std::string> expected) {
    run(until(loop_, [&] { return addresses() == expected; }));
    EXPECT_EQ(addresses(), expected);
  }
  void until_looked_up_again() {
    run(until(loop_, [this, before = network_.look_ups] { return network_.look_ups > before + 1; }));
  }

  std::optional<Monitor> monitor_;
};

TEST_F(NamesTest, ANameStandsForAllItsAddresses) {
  network_.names["shop.internal:80"] = {"10.0.0.1:80", "10.0.0.2:80"};
  start({"shop.internal:80", "127.0.0.1:9"});
  until_addresses({"shop-1=10.0.0.1:80", "shop-2=127.0.0.1:9", "shop-3=10.0.0.2:80"});
  EXPECT_EQ(service_->find("shop-3")->endpoint().host, "shop.internal:80")
      << "health checks ask for the name";
  run(until(loop_, [this] { return service_->find("shop-3")->state() == State::up; }));
}

TEST_F(NamesTest, AddressesComeAndGo) {
  network_.names["shop.internal:80"] = {"10.0.0.1:80", "10.0.0.2:80"};
  start({"shop.internal:80"});
  until_addresses({"shop-1=10.0.0.1:80", "shop-2=10.0.0.2:80"});
  run(until(loop_, [this] { return service_->find("shop-1")->state() == State::up; }));
  const std::shared_ptr<Instance> stays = service_->find("shop-2");
  Attempts attempts;
  std::optional<Lease> busy;
  while (!busy || busy->instance().name() != "shop-1") {
    attempts = {};
    busy = on_loop_->try_acquire(attempts);
  }
  network_.names["shop.internal:80"] = {"10.0.0.2:80", "10.0.0.3:80"};
  until_addresses({"shop-2=10.0.0.2:80", "shop-3=10.0.0.3:80"});
  EXPECT_EQ(service_->find("shop-2"), stays);
  EXPECT_EQ(service_->find("shop-1")->state(), State::draining) << "it has a request to finish";
  busy.reset();
  run(until(loop_, [this] { return service_->find("shop-1") == nullptr; }));
}

TEST_F(NamesTest, AFailingLookUpKeepsWhatIsKnown) {
  network_.names["shop.internal:80"] = {"10.0.0.1:80"};
  start({"shop.internal:80"});
  until_addresses({"shop-1=10.0.0.1:80"});
  network_.names.clear();
  until_looked_up_again();
  until_addresses({"shop-1=10.0.0.1:80"});
  network_.names["shop.internal:80"] = {"10.0.0.9:80"};
  until_addresses({"shop-2=10.0.0.9:80"});
}

TEST_F(NamesTest, UntilItIsFoundOneInstanceStandsForTheName) {
  start({"shop.internal:80"});
  until_looked_up_again();
  until_addresses({"shop-1=shop.internal:80"});
  const std::uint64_t place = instance(0).place();
  network_.names["shop.internal:80"] = {"10.0.0.1:80"};
  until_addresses({"shop-1=10.0.0.1:80"});
  EXPECT_NE(instance(0).place(), place);
  EXPECT_EQ(instance(0).place(), stable_hash("10.0.0.1:80"));
}

TEST_F(NamesTest, WhatWasFoundOutByTheNameSaysNothingOfTheAddress) {
  auto options = fixed(0);
  options.instances = {*parse_address("shop.internal:80")};
  make(options, false);
  lower(0);
  const Instance::Status by_name = instance(0).status();
  service_->set_addresses(options.instances[0], {*parse_address("10.0.0.1:80")});
  EXPECT_EQ(instance(0).state(), State::starting);
  EXPECT_NE(instance(0).status().generation, by_name.generation);
  EXPECT_FALSE(instance(0).mark_up(by_name));
}

// As after a restart of the gateway.
TEST_F(NamesTest, WhoIsBoundToAnAddressWaitsUntilItsNameIsFound) {
  auto options = fixed(0);
  options.instances = {*parse_address("shop.internal:80")};
  options.timeout.connect = std::chrono::milliseconds(10'000);
  make(options, false);
  monitor_.emplace(*service_, loop_, network_, 5ms);
  Attempts bound;
  bound.only = Instance("shop-1", 0, Endpoint{.address = *parse_address("10.0.0.1:80")},
                        std::make_shared<Changes>(), clock_)
                   .identity();
  test::Requests requests(*on_loop_);
  requests.start("a", bound);
  until_looked_up_again();
  EXPECT_EQ(requests.trace, "");
  EXPECT_EQ(instance(0).identity(), 0u);
  Attempts unbound;
  EXPECT_FALSE(on_loop_->try_acquire(unbound)) << "whose memory it would reach is not known";
  network_.names["shop.internal:80"] = {"10.0.0.1:80"};
  run(until(loop_, [&] { return requests.trace == "a+ "; }));
}

TEST_F(NamesTest, WhoIsBoundToAnAddressThatNoNameHasIsToldAtOnce) {
  network_.names["shop.internal:80"] = {"10.0.0.2:80"};
  start({"shop.internal:80"});
  until_addresses({"shop-1=10.0.0.2:80"});
  struct Body {
    static io::Task<void> run(NamesTest& t) {
      Attempts bound;
      bound.only = 12345;
      const auto lease = co_await t.on_loop_->acquire(bound, io::kNoDeadline);
      EXPECT_FALSE(lease);
      if (!lease) EXPECT_EQ(lease.error().code, Code::instance_lost);
    }
  };
  run(Body::run(*this));
}

TEST_F(NamesTest, OneAddressIsOneInstanceHoweverItIsGiven) {
  network_.names["a.internal:80"] = {"10.0.0.1:80", "10.0.0.2:80"};
  network_.names["b.internal:80"] = {"10.0.0.2:80", "10.0.0.3:80"};
  start({"10.0.0.1:80", "a.internal:80", "b.internal:80"});
  run(until(loop_, [this] { return addresses().size() == 3; }));
  std::vector<std::string> found;
  for (const std::string& text : addresses()) found.push_back(text.substr(text.find('=') + 1));
  EXPECT_THAT(found, testing::UnorderedElementsAre("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"));
}

TEST_F(NamesTest, ANameThatAReloadAddsIsLookedUpAtOnce) {
  network_.names["shop.internal:80"] = {"10.0.0.1:80"};
  auto options = fixed(1);
  make(options, false);
  monitor_.emplace(*service_, loop_, network_, 60s);
  options.instances = {*parse_address("shop.internal:80")};
  service_->reconfigure(options);
  run(until(loop_, [this] { return addresses() == std::vector<std::string>{"shop-2=10.0.0.1:80"}; }));
}

}  // namespace
}  // namespace stateway::upstream
