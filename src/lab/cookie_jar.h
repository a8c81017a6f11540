// The cookies of one client of one site, as a browser would keep them: by name, until told to forget.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "wire/client.h"

namespace stateway::lab {

/// Knows names, values and Max-Age=0; all else (paths, domains, expiry by time) is beyond what a load needs.
class CookieJar {
 public:
  /// Takes in the Set-Cookie fields of an answer.
  void take(const wire::ClientResponse& response);
  /// The value of the Cookie field to send; empty: send none.
  std::string header() const;
  std::string_view value(std::string_view name) const;
  bool empty() const { return cookies_.empty(); }

 private:
  std::map<std::string, std::string, std::less<>> cookies_;
};

}  // namespace stateway::lab
