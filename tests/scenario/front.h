// A gateway with its services, from a configuration of its own, on free ports, in a folder of its own, and
// proved to have left nothing behind.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/gateway_process.h"
#include "lab/services.h"
#include "raw.h"

namespace stateway::scenario {

/// A folder under the system's temporary one, with a short name because unix sockets live in it; removed at
/// the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(std::string_view file) const { return path_ + "/" + std::string(file); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A browser that keeps its one cookie.
struct Browser {
  std::string cookie;    // "name=value"; empty: none yet
  std::string instance;  // that answered last

  /// Stores what the answer sets.
  void take(const Reply& reply);
  /// The header line, with its CRLF, that its requests have.
  std::string header() const { return cookie.empty() ? "" : "Cookie: " + cookie + "\r\n"; }
  /// The cookie's value.
  std::string value() const { return cookie.substr(std::min(cookie.find('='), cookie.size() - 1) + 1); }
};

/// One gateway in a folder of its own. Its functions fail the running test when something is not as they say.
class Front {
 public:
  Front();

  /// Writes the configuration and starts the gateway; waits until it is ready. In `config` are replaced:
  /// @CLIENTS@ and
  /// @ADMIN@ by addresses, @DIR@ by the folder, @CART@ and @ORIGIN@ by the programs. Fails the test when it
  /// does not become ready within 30 s.
  void start(std::string_view config);
  /// Starts it again, on the addresses it had. With `wait` false it returns at once.
  void restart(bool wait = true);
  /// Writes another configuration, for a reload. @CLIENTS@ and @ADMIN@ become what they became last.
  void write_config(std::string_view config);
  /// The first number of that name in GET /v1/status. There must be one.
  std::uint64_t status_number(std::string_view name);
  /// POST /v1/reload.
  Reply reload(std::string_view more = "");
  /// `write_config` and `reload`; expects 200.
  void reload_with(std::string_view config);
  /// SIGTERM; expects exit 0 and nothing left behind within 30 s.
  void stop();
  /// Expects that none of the gateway's processes is there within 10 s.
  void expect_nothing_left();

  Raw connect() { return Raw(gateway->clients()); }
  /// One request on a connection of its own. `more` is further header lines, each with its CRLF.
  Reply ask(std::string_view method, std::string_view target, std::string_view more = "",
            std::string_view body = "");
  Reply get(std::string_view target, std::string_view more = "") { return ask("GET", target, more); }
  Reply browse(Browser& browser, std::string_view method, std::string_view target,
               std::string_view body = "");
  Reply ask_admin(std::string_view target, std::string_view more = "");
  std::vector<lab::InstanceInfo> instances();
  /// Kills an instance; returns when the process is gone.
  void kill_instance(pid_t pid);
  /// Polls until every instance is up.
  void wait_until_all_are_up();

  /// Stops the gateway, if it runs, and proves exit 0 and no process left behind. Shows the log of a failed
  /// test.
  void finish();

  Folder folder;
  std::unique_ptr<lab::GatewayProcess> gateway;

 private:
  std::string config_, clients_ = "127.0.0.1:0", admin_ = "127.0.0.1:0";
  void wait_until_ready();
};

const std::string& stateway_binary();
const std::string& cart_binary();
const std::string& origin_binary();
/// Whether the gateway under test was built with a sanitizer: slower, and with memory of its own.
bool is_sanitized();
/// A number from the environment, or `otherwise`.
std::uint64_t setting(const char* name, std::uint64_t otherwise);

/// Waits a moment; false once the deadline has passed.
bool pause_and_check_time(TimePoint deadline);

/// Polls `condition` until it holds; fails the test, and returns false, after `limit`.
template <class F>
bool eventually(F condition, Duration limit = 20s) {
  const TimePoint deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (pause_and_check_time(deadline)) continue;
    ADD_FAILURE() << "it did not come true in time";
    return false;
  }
  return true;
}

}  // namespace stateway::scenario
