#include "site.h"

#include <fmt/format.h>

#include <filesystem>

namespace stateway::scenario {

Ended run_stateway(const Folder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), stateway_binary());
  const std::string output = folder / "output";
  std::filesystem::remove(output);
  auto program =
      lab::Program::start({.words = std::move(arguments), .environment = {}, .output_file = output});
  CHECK(program.has_value());
  const auto exit = (*program)->wait(30s);
  return {.status = exit ? exit->status : -1, .output = lab::read_file(output)};
}

std::string origin_config(std::string_view more) {
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "@DIR@/keys"
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
[limits]
head = "4KiB"
target = "1KiB"
fields = 40
head_timeout = "{}"
[session.s]
placement = "store"
[service.origin]
command = ["@ORIGIN@"]
socket = true
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
timeout = {{ connect = "10s" }}
[[route]]
path = "/o"
service = "origin"
[[route]]
path = "/get"
methods = ["GET", "HEAD"]
service = "origin"
[[route]]
path = "/small"
max_body = "1KiB"
service = "origin"
[[route]]
path = "/s"
service = "origin"
session = "s"
{})",
                     is_sanitized() ? "2s" : "500ms", more);
}

std::string documents_config(std::string_view placement, std::string_view session, std::string_view more) {
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "@DIR@/keys"
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
path = "@DIR@/state"
[session.s]
placement = "{}"
{}
[service.origin]
command = ["@ORIGIN@"]
socket = true
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
timeout = {{ connect = "10s" }}
[[route]]
path = "/s"
service = "origin"
session = "s"
{})",
                     placement, session, more);
}

std::string cart_config(const CartOptions& options) {
  const std::string embedded = fmt::format("path = \"@DIR@/state\"\ndurability = \"{}\"", options.durability);
  return fmt::format(R"([gateway]
debug_headers = true
key_file = "{}"
[log]
access = false
[[listen]]
address = "@CLIENTS@"
[admin]
address = "@ADMIN@"
[store]
{}
[session.cart]
placement = "{}"
{}
[service.shop]
command = ["@CART@"]
count = {}
socket = true
health = {{ path = "/healthz", interval = "100ms", timeout = "2s", rise = 1 }}
timeout = {{ connect = "10s" }}
[[route]]
path = "/"
service = "shop"
session = "cart"
replay = "{}"
[[route]]
path = "/api/crash"
service = "shop"
)",
                     options.key_file, options.store.empty() ? embedded : options.store, options.placement,
                     options.session, options.instances, options.replay);
}

}  // namespace stateway::scenario
