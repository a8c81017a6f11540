// Which route a request belongs to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "route/options.h"

namespace stateway::route {

/// Immutable once built; any thread.
class Table {
 public:
  explicit Table(std::vector<RouteOptions> routes);

  struct Match {
    const RouteOptions* route = nullptr;
    std::size_t index = 0;  // of the route in the order of the configuration
    std::string allow;      // no route, but the path is known: the methods it takes, for Allow
  };
  /// Exact host before none, then the longest path, then the method. `host` may carry a port, which does not
  /// count; case does not count either. `path` is normalized. A route that takes GET takes HEAD.
  Match find(std::string_view host, std::string_view path, std::string_view method) const;

  const std::vector<RouteOptions>& routes() const { return routes_; }

 private:
  std::vector<RouteOptions> routes_;
  // Routes with a host first, then by falling length of the path, then those that name methods.
  std::vector<std::size_t> order_;
};

}  // namespace stateway::route
