// The tests of one gateway, and the configurations they begin with.
#pragma once

#include "front.h"

namespace stateway::scenario {

/// A gateway, started for one test.
class Site : public testing::Test, protected Front {
 protected:
  void TearDown() override { finish(); }
};

/// `stateway check` and the like: exit status, and what was written to stdout and stderr together.
struct Ended {
  int status = -1;
  std::string output;
};
Ended run_stateway(const Folder& folder, std::vector<std::string> arguments);

/// The configuration most tests begin with: one origin, supervised, on a unix socket, stateless under /o,
/// read only under /get, at most 1 KiB under /small, with a session under /s.
std::string origin_config(std::string_view more = "");
/// An origin under /s, whose sessions are of that placement. `session` is further lines of [session.s].
std::string documents_config(std::string_view placement, std::string_view session = "",
                             std::string_view more = "");
/// The cart with its supervised instances.
struct CartOptions {
  std::string_view replay = "reject";
  std::string_view durability = "sync";
  std::string_view placement = "store";
  std::string_view store = "";  // the lines of [store]; empty: embedded, in the gateway's folder
  std::string_view key_file = "@DIR@/keys";
  std::string_view session = "";  // more lines of [session.cart]
  int instances = 3;
};
std::string cart_config(const CartOptions& options);

}  // namespace stateway::scenario
