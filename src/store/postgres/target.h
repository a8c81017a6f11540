// [store] url of PostgreSQL: which servers, which database, and who we are there. libpq's own URLs
// (https://www.postgresql.org/docs/15/libpq-connect.html §34.1.1.2); what it would take from its environment
// and its password file counts too.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "store/options.h"

namespace stateway::store::postgres {

struct Target {
  struct Server {
    std::string host;     // a name, an IP address, or the folder of a unix socket; empty: libpq's default
    std::string address;  // `hostaddr` of the URL: an IP address that spares the look-up
    std::uint16_t port = 5432;
    std::string name() const;  // "db.example:5432", for the log and for errors
  };
  std::vector<Server> servers;  // tried in this order
  /// Keywords of libpq with their values, without those of `servers`. They may hold the password.
  std::vector<std::pair<std::string, Secret>> settings;
  std::string user, database;  // for errors; empty: libpq's default

  std::string_view setting(std::string_view keyword) const;  // empty: not set
};

/// Adds what the store needs where the URL does not say it: that the server takes writes, TLS with
/// options.ca_file, and signs of life from a server that has gone. Errors: invalid_argument, with one
/// sentence that repeats nothing of the URL, which may hold the password. Reads the names of CA files. Any
/// thread.
Result<Target> parse_target(const StoreOptions& options);

}  // namespace stateway::store::postgres
