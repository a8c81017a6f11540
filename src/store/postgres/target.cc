#include "store/postgres/target.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace stateway::store::postgres {
namespace {

struct Free {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  void operator()(char* text) const { PQfreemem(text); }
};

std::unexpected<Error> wrong(std::string_view why) {
  return fail(Code::invalid_argument, Side::store, std::string(why));
}

// libpq quotes what it was given, and that may be the password: only its own words are repeated.
std::string without_quotes(std::string_view message) {
  message = message.substr(0, message.find_first_of("\":\n"));
  while (message.ends_with(' ')) message.remove_suffix(1);
  return message.empty() ? "it is no URL of PostgreSQL" : std::string(message);
}

// Whether a password was written as it is: libpq would take the rest of it for a host or a database, whose
// names are shown.
bool has_stray_signs(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  const std::string_view servers = url.substr(0, url.find('?'));
  const auto at = servers.find('@');
  return at != servers.npos && (servers.find('@', at + 1) != servers.npos || servers.find('/') < at);
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  for (;;) {
    const auto comma = list.find(',');
    out.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

// "a,b" with ports "5432" or "5432,5433", as libpq reads them.
Result<std::vector<Target::Server>> servers_of(std::string_view hosts, std::string_view addresses,
                                               std::string_view ports) {
  const auto names = split(hosts), numbers = split(ports), literal = split(addresses);
  const std::size_t count = std::max(names.size(), addresses.empty() ? 1 : literal.size());
  if ((!hosts.empty() && names.size() != count) || (!addresses.empty() && literal.size() != count))
    return wrong("host and hostaddr must name as many servers");
  if (numbers.size() != 1 && numbers.size() != count) return wrong("it has not as many ports as hosts");
  std::vector<Target::Server> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!hosts.empty()) out[i].host = names[i];
    if (!addresses.empty()) out[i].address = literal[i];
    const std::string& number = numbers.size() == 1 ? numbers.front() : numbers[i];
    if (number.empty()) continue;
    const auto port = parse_decimal(number);
    if (!port || *port == 0 || *port > 65535) return wrong("a port is a number from 1 to 65535");
    out[i].port = static_cast<std::uint16_t>(*port);
  }
  return out;
}

// libpq 15 looks for ~/.postgresql/root.crt alone.
std::optional<std::string> system_authorities() {
  for (const char* file :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"})
    if (std::error_code ignored; std::filesystem::exists(file, ignored)) return file;
  return std::nullopt;
}

class Settings {
 public:
  explicit Settings(Target& target) : target_(target) {}
  void set(std::string_view keyword, std::string_view value) {
    target_.settings.emplace_back(std::string(keyword), Secret(std::string(value)));
  }
  void if_unset(std::string_view keyword, std::string_view value) {
    if (target_.setting(keyword).empty()) set(keyword, value);
  }

 private:
  Target& target_;
};

void complete(Target& target, const StoreOptions& options) {
  Settings settings(target);
  // A standby, or a server made read-only, is none to keep sessions on: the next one is asked.
  settings.set("target_session_attrs", "read-write");
  settings.if_unset("application_name", "stateway");
  settings.if_unset("gssencmode", "disable");  // it looks for tickets first, and blocks
  settings.if_unset("keepalives_idle", "30");
  settings.if_unset("keepalives_interval", "10");
  settings.if_unset("keepalives_count", "3");
  settings.if_unset("tcp_user_timeout", std::to_string(options.timeout.count()));
  if (!options.ca_file.empty()) {
    settings.if_unset("sslrootcert", options.ca_file);
    settings.if_unset("sslmode", "verify-full");
  } else if (target.setting("sslmode").starts_with("verify-")) {
    if (const auto file = system_authorities()) settings.if_unset("sslrootcert", *file);
  }
}

}  // namespace

std::string Target::Server::name() const {
  if (host.starts_with('/')) return fmt::format("{}/.s.PGSQL.{}", host, port);
  const std::string& shown = host.empty() ? address : host;
  if (shown.empty()) return fmt::format("the local server of port {}", port);
  return shown.find(':') == std::string::npos ? fmt::format("{}:{}", shown, port)
                                              : fmt::format("[{}]:{}", shown, port);
}

std::string_view Target::setting(std::string_view keyword) const {
  const auto found = std::ranges::find(settings, keyword, &std::pair<std::string, Secret>::first);
  return found == settings.end() ? std::string_view() : found->second.reveal();
}

Result<Target> parse_target(const StoreOptions& options) {
  const std::string url(options.url.reveal());
  if (!url.starts_with("postgres://") && !url.starts_with("postgresql://"))
    return wrong("it must begin with postgres:// or postgresql://");
  if (has_stray_signs(url)) return wrong("in a user's name or password, write %40 for @ and %2F for /");
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, Free> parsed(PQconninfoParse(url.c_str(), &message));
  const std::unique_ptr<char, Free> owned(message);
  if (!parsed) return wrong(without_quotes(message == nullptr ? "" : message));
  Target target;
  std::string hosts, addresses, ports;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword, value = option->val;
    if (keyword == "service") return wrong("services of pg_service.conf are not supported: name the server");
    if (keyword == "host")
      hosts = value;
    else if (keyword == "hostaddr")
      addresses = value;
    else if (keyword == "port")
      ports = value;
    else if (keyword != "target_session_attrs" && keyword != "connect_timeout")
      Settings(target).set(keyword, value);
    if (keyword == "user") target.user = value;
    if (keyword == "dbname") target.database = value;
  }
  auto servers = servers_of(hosts, addresses, ports);
  if (!servers) return pass_on(std::move(servers));
  target.servers = std::move(*servers);
  complete(target, options);
  return target;
}

}  // namespace stateway::store::postgres
