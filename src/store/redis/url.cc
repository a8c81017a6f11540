#include "store/redis/url.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"

namespace stateway::store::redis {
namespace {

constexpr unsigned kDatabaseMax = 16383;  // more than anybody configures

std::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, Side::self, std::move(what));
}

struct Scheme {
  std::string_view text;
  Url::Kind kind;
  bool tls;
  bool local;
};
constexpr Scheme kSchemes[] = {
    {"redis://", Url::Kind::single, false, false},
    {"rediss://", Url::Kind::single, true, false},
    {"redis+unix://", Url::Kind::single, false, true},
    {"redis+cluster://", Url::Kind::cluster, false, false},
    {"rediss+cluster://", Url::Kind::cluster, true, false},
    {"redis+sentinel://", Url::Kind::sentinel, false, false},
    {"rediss+sentinel://", Url::Kind::sentinel, true, false},
};

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = ascii_lower(c);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a') + 10;
  return std::nullopt;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low)
      return wrong("a % in the user or password needs two hexadecimal digits: write %25 for %");
    out.push_back(static_cast<char>(*high << 4 | *low));
    i += 2;
  }
  return out;
}

Result<void> read_user(Url& url, std::string_view text) {
  const std::size_t colon = text.find(':');
  auto user = percent_decode(text.substr(0, colon));
  if (!user) return pass_on(std::move(user));
  url.user = std::move(*user);
  if (colon != text.npos) {
    auto password = percent_decode(text.substr(colon + 1));
    if (!password) return pass_on(std::move(password));
    url.password = Secret(std::move(*password));
  }
  if (url.password.empty()) return wrong("there is an @ but no password: write user:password@host");
  return {};
}

Result<Address> read_server(std::string_view text, std::uint16_t default_port) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != text.npos && (bracket == text.npos || colon > bracket);
  const std::string whole =
      has_port ? std::string(text) : std::string(text) + ":" + std::to_string(default_port);
  auto address = parse_address(whole);
  if (!address || address->kind != Address::Kind::tcp)
    return wrong("the host must be a name, an IPv4 address or an [IPv6 address], with :port if it is not " +
                 std::to_string(default_port));
  if (address->port == 0) return wrong("the port must be between 1 and 65535");
  return address;
}

Result<void> read_servers(Url& url, std::string_view text) {
  const std::uint16_t port = url.kind == Url::Kind::sentinel ? kDefaultSentinelPort : kDefaultPort;
  for (bool last = false; !last;) {
    const std::size_t comma = text.find(',');
    last = comma == text.npos;
    auto server = read_server(text.substr(0, comma), port);
    if (!server) return pass_on(std::move(server));
    url.servers.push_back(std::move(*server));
    if (!last) text.remove_prefix(comma + 1);
  }
  if (url.kind == Url::Kind::single && url.servers.size() > 1)
    return wrong("several hosts are for redis+cluster:// and redis+sentinel://");
  return {};
}

Result<void> read_database(Url& url, std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || *number > kDatabaseMax)
    return wrong("the database must be a number, as in redis://host:6379/0");
  url.database = static_cast<unsigned>(*number);
  return {};
}

Result<void> read_path(Url& url, std::string_view path, std::string_view query) {
  if (!query.empty() && (url.kind == Url::Kind::cluster || !query.starts_with("db=")))
    return wrong("after the ? only db=NUMBER is known, and a cluster has one database only");
  if (!query.empty())
    if (auto read = read_database(url, query.substr(3)); !read) return read;
  switch (url.kind) {
    case Url::Kind::single:
      return path.empty() ? Result<void>() : read_database(url, path);
    case Url::Kind::cluster:
      if (!path.empty() && path != "0") return wrong("a cluster has one database only: leave out the path");
      return {};
    case Url::Kind::sentinel:
      if (path.empty() || path.contains('/'))
        return wrong(
            "after the sentinels comes the name of the master: redis+sentinel://host:26379/mymaster");
      // It goes to the log.
      if (path.contains('@')) return wrong("a / in a password is written %2F, and no master's name has an @");
      url.master = path;
      return {};
  }
  return {};
}

Result<void> read_socket(Url& url, std::string_view path, std::string_view query) {
  auto address = parse_address("unix:" + std::string(path));
  if (!address || !path.starts_with('/'))
    return wrong("after redis+unix:// comes the absolute path of the socket: redis+unix:///run/redis.sock");
  url.servers.push_back(std::move(*address));
  return read_path(url, "", query);
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto* const scheme =
      std::ranges::find_if(kSchemes, [&](const Scheme& known) { return text.starts_with(known.text); });
  if (scheme == std::end(kSchemes))
    return wrong(
        "must begin with redis://, rediss:// (TLS), redis+unix://, redis+cluster:// or redis+sentinel://");
  Url url;
  url.kind = scheme->kind;
  url.tls = scheme->tls;
  text.remove_prefix(scheme->text.size());

  const std::size_t mark = text.find('?');
  const std::string_view query = mark == text.npos ? std::string_view() : text.substr(mark + 1);
  text = text.substr(0, mark);
  const std::size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    if (auto read = read_user(url, authority.substr(0, at)); !read) return pass_on(std::move(read));
    authority.remove_prefix(at + 1);
  }
  Result<void> read;
  if (scheme->local) {
    if (!authority.empty())
      return wrong("redis+unix:// has no host: three slashes, redis+unix:///run/redis.sock");
    read = read_socket(url, slash == text.npos ? std::string_view() : text.substr(slash), query);
  } else {
    read = read_servers(url, authority);
    if (read) read = read_path(url, slash == text.npos ? std::string_view() : text.substr(slash + 1), query);
  }
  if (!read) return pass_on(std::move(read));
  return url;
}

}  // namespace stateway::store::redis
