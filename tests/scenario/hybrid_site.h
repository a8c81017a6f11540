// placement = "hybrid", octet by octet: the test is the client and the service.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "player.h"
#include "site.h"

namespace stateway::scenario {

struct Request {
  std::string text;  // the head

  std::string field(std::string_view name) const {
    const std::size_t at = text.find(fmt::format("\r\n{}: ", name));
    if (at == std::string::npos) return "-";
    const std::size_t value = at + 2 + name.size() + 2;
    return text.substr(value, text.find('\r', value) - value);
  }
  /// "<version> <document>", or "<version> held <token>".
  std::string given() const {
    const std::string held = field("Stateway-Session-Held");
    return fmt::format("{} {}", field("Stateway-Session-Version"),
                       held == "-" ? field("Stateway-Session") : "held " + held);
  }
};

class HybridSite : public Site {
 protected:
  void begin(std::string_view placement = "hybrid") {
    start(fmt::format(R"([gateway]
threads = 1
debug_headers = true
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
kind = "memory"
[session.s]
placement = "{}"
[service.u]
instances = ["{}"]
[[route]]
path = "/"
service = "u"
session = "s"
)",
                      placement, to_string(port_.address())));
    // An instance without health checks is connected to once, and then is up.
    while (port_.accept(Duration::zero()).connected()) {
    }
  }

  /// Sends a request of the browser; the answer is waited for elsewhere.
  Raw send(std::string_view request_line, std::string_view more = "", std::string_view body = "") {
    Raw raw = connect();
    const std::string cookie = cookie_.empty() ? "" : fmt::format("Cookie: {}\r\n", cookie_);
    const std::string length = body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
    raw.send(fmt::format("{} HTTP/1.1\r\nHost: h\r\n{}{}{}\r\n{}", request_line, cookie, length, more, body));
    return raw;
  }
  /// The next connection of the gateway.
  Raw& accept() {
    upstreams_.push_back(std::make_unique<Raw>(port_.accept(20s)));
    EXPECT_TRUE(upstreams_.back()->connected());
    return *upstreams_.back();
  }
  static Request take(Raw& u) {
    Request out;
    while (!out.text.ends_with("\r\n\r\n")) {
      const std::string octet = u.read(1);
      if (octet.empty()) {
        ADD_FAILURE() << "no request, but an end, after: " << out.text;
        break;
      }
      out.text += octet;
    }
    return out;
  }
  static void answer(Raw& u, std::string_view fields, std::string_view body = "") {
    u.send(fmt::format("HTTP/1.1 200 OK\r\n{}Content-Length: {}\r\n\r\n{}", fields, body.size(), body));
  }
  Reply finish(Raw& client) {
    Reply reply = client.reply();
    for (const auto& [name, value] : reply.fields)
      EXPECT_FALSE(name.starts_with("Stateway-Session")) << name << ": " << value;
    if (reply.has("Set-Cookie")) {
      const std::string set = reply.field("Set-Cookie");
      cookie_ = set.substr(0, set.find(';'));
    }
    return reply;
  }
  /// One whole exchange over the connection `u`.
  Request exchange(Raw& u, std::string_view fields, std::string_view request_line = "POST /",
                   int status = 200) {
    Raw client = send(request_line);
    Request got = take(u);
    answer(u, fields);
    EXPECT_EQ(finish(client).status, status);
    return got;
  }
  /// A session at version 1, {"a":1}, that the process at the end of the connection holds as `one`.
  Raw& begin_held() {
    Raw client = send("POST /");
    Raw& u = accept();
    EXPECT_EQ(take(u).given(), "0 {}");
    answer(u, "Stateway-Session-Patch: {\"a\":1}\r\nStateway-Session-Hold: one\r\n");
    EXPECT_EQ(finish(client).status, 200);
    EXPECT_NE(cookie_, "");
    return u;
  }
  std::uint64_t counted(std::string_view name) {
    const std::string status = ask_admin("/v1/status").body;
    const std::string key = fmt::format("\"{}\":", name);
    const std::size_t at = status.find(key) + key.size();
    return parse_decimal(std::string_view(status).substr(at, status.find_first_of(",}", at) - at))
        .value_or(999);
  }

  UpstreamPort port_{*parse_address("127.0.0.1:0")};
  std::string cookie_;
  std::vector<std::unique_ptr<Raw>> upstreams_;
};

inline constexpr std::string_view kHoldOne = "Stateway-Session-Hold: one\r\n";
inline constexpr std::string_view kNeed = "Stateway-Session-Op: need\r\n";

}  // namespace stateway::scenario
