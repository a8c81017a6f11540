// A service that does on request whatever services do, well or badly. What is asked is the path's last
// segment:
//
//   healthz        200
//   echo-head      200 with the request line and fields as they came
//   bytes?n=N      N octets of the pattern; with &chunked=1 chunked
//   sink           reads the body, compares with the pattern: "N good" or "N bad"
//   written        octets of `bytes` bodies that were written so far, by all connections
//   count          requests served so far, without healthz and count
//   slow?ms=N      answers after N milliseconds
//   most           the most `slow` requests that it ever had at once
//   ws             a WebSocket handshake, then every octet back
//   patch          200 with the request's body as Stateway-Session-Patch; with &op=X a Stateway-Session-Op;
//                  with &ms=N after N milliseconds; with &hold=1 not before the next `let-go`; with &gather=N
//                  not before N such requests are there
//   let-go         lets all go that are held now
//   most-of-one    the most `patch` requests that one session ever had at once
//   session        200 with "<id> <version> <document>" as it was given
//   session-url    GET, or a PATCH with the request's body, of the session URL: "<status> <body>"
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "http/target.h"
#include "io/network.h"
#include "io/wait_queue.h"
#include "pattern.h"
#include "wire/reader.h"

namespace stateway::scenario {

/// What the connections of one origin share. Belongs to one loop.
struct Origin {
  io::Network& network;
  Pattern pattern;
  std::uint64_t written = 0;
  std::uint64_t count = 0;
  unsigned slow_now = 0;
  unsigned slow_most = 0;
  std::map<std::string, unsigned> patching;  // requests by session id
  unsigned patching_most = 0;
  unsigned let_go = 0;
  io::WaitQueue gathered;
};

/// Serves one connection until it ends.
io::Task<void> serve_origin(Origin& origin, io::Accepted accepted);

/// The value of `name` in "?a=1&b=2"; empty without one. Nothing is decoded.
std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace stateway::scenario
