// What the tests of placement "instance" share: commands to the admin API.
#pragma once

#include <fmt/format.h>

#include "site.h"

namespace stateway::scenario {

class StickySite : public Site {
 protected:
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
