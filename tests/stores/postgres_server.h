// A real PostgreSQL for tests: on 127.0.0.1, in a folder of its own, gone at the end of the test or of the
// test's process, however that ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/program.h"
#include "reserved_port.h"
#include "store/temporary_directory.h"

namespace stateway::stores {

/// Made (initdb) and started by the constructor, which takes some seconds: share one where a test does not
/// kill it. Without fsync, unless the settings ask for it: what it has written survives SIGKILL all the same.
/// Over TCP it wants kUser's password; its folder's unix socket wants none. What cannot be done throws
/// std::runtime_error, with the server's log. Start and use it on a thread that lives longer.
class PostgresServer {
 public:
  static constexpr const char* kUser = "ann";  // a superuser
  static constexpr const char* kPassword = "s3cret/of:ann";
  using Settings = std::vector<std::string>;  // "wal_level=logical"; they win over the fixture's own

  explicit PostgresServer(Settings settings = {});
  /// A standby of `primary`, begun with a copy of it and following it from then on; `promote` ends that.
  struct StandbyOf {
    const PostgresServer& primary;
  };
  explicit PostgresServer(StandbyOf of);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::uint16_t port() const { return port_.number(); }
  const std::string& folder() const { return folder_.path(); }  // of its log and its unix socket
  /// For [store] url: by TCP, with the password.
  std::string url(std::string_view database) const;
  /// With another user and password, as they stand in a URL: "bob:x".
  std::string url_of(std::string_view user_and_password, std::string_view database) const;

  /// A database that nobody else uses, a copy of `of`; returns its name. Nobody may be connected to that.
  std::string new_database(const std::string& of = "template1");

  /// Runs statements as the superuser, with plain libpq. Returns the first value of the last row, or "".
  std::string sql(const std::string& database, const std::string& statements) const;

  /// Starts it again, on the same port, with what is in its folder; returns once it takes connections.
  void start();
  /// "Fast": connections are ended, what there is is written. Returns when it has ended.
  void stop();
  /// SIGKILL, all of its processes: returns when they have ended.
  void kill();
  /// SIGSTOP, all of its processes: connections stay, nothing answers. `thaw` ends it.
  void freeze();
  void thaw();
  /// Makes a standby a primary; returns when it takes writes.
  void promote();
  bool running() { return process_ && process_->running(); }
  /// What it has said, for messages of tests that failed.
  std::string log() const;

 private:
  void make_cluster();
  void give_folder_to_owner() const;
  void run_as_owner(std::vector<std::string> words);
  std::vector<pid_t> processes() const;
  bool answers() const;

  Settings settings_;
  store::TemporaryDirectory folder_;
  ReservedPort port_;
  std::unique_ptr<lab::Program> process_;
  int databases_ = 0;
};

/// One for the whole test program, started when it is first asked for. From the main thread.
PostgresServer& shared_postgres();

}  // namespace stateway::stores
