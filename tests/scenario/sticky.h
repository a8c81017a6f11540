// What the tests of placement "instance" share: browsers, and commands to the admin API.
#pragma once

#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {

/// A browser that keeps its cookie.
struct Browser {
  std::string cookie;
  std::string instance;  // that answered last
};

class StickySite : public Site {
 protected:
  Reply browse(Browser& browser, std::string_view method, std::string_view target,
               std::string_view body = "") {
    const std::string cookie = browser.cookie.empty() ? "" : fmt::format("Cookie: {}\r\n", browser.cookie);
    Reply reply = ask(method, target, cookie, body);
    if (reply.has("Set-Cookie")) {
      const std::string set = reply.field("Set-Cookie");
      browser.cookie = set.substr(0, set.find(';'));
    }
    browser.instance = reply.field("Stateway-Instance");
    return reply;
  }
  /// A call of the admin API that changes something.
  Reply command(std::string_view method, std::string_view target, std::string_view body = "") {
    Raw raw(gateway->admin());
    return raw.ask(
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: "
                    "application/json\r\nContent-Length: {}\r\n\r\n{}",
                    method, target, to_string(gateway->admin()), body.size(), body));
  }
};

}  // namespace stateway::scenario
