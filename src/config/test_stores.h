// For the tests of this module: files with stores on other machines.
#pragma once

#include <string_view>

namespace stateway::config {

/// A store on another machine, of which [store] has other keys.
inline constexpr std::string_view kStoreElsewhere = R"([store]
kind = "redis"
url = "rediss://:${BAD}@cache:6380/2"
timeout = "500ms"
connections = 2
ca_file = "${DIR}/ca.pem"
replicas = 1
on_outage = "journal"
journal = "${DIR}/journal"
journal_max = "2MiB"
outage_memory = "1MiB"
on_conflict = "store"
previous = { kind = "embedded", path = "${DIR}/state", durability = "os", memory = "1MiB" }
[[listen]]
address = "127.0.0.1:0"
[service.s]
instances = ["127.0.0.1:1"]
[[route]]
path = "/"
service = "s"
)";
inline constexpr std::string_view kStoreFromElsewhere = R"([store]
previous = { kind = "postgres", url = "postgres://u@h/d", timeout = "1s", connections = 3, ca_file = "c" }
[[listen]]
address = "127.0.0.1:0"
[service.s]
instances = ["127.0.0.1:1"]
[[route]]
path = "/"
service = "s"
)";

}  // namespace stateway::config
