// One request and its response. Each slot is filled once, by the stage its comment names; there is no other
// state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "gateway/session_url.h"
#include "gateway/snapshot.h"
#include "http/framing.h"
#include "http/message.h"
#include "http/target.h"
#include "io/cancellable.h"
#include "session/holders.h"
#include "session/lanes.h"
#include "session/slot.h"
#include "upstream/connection.h"
#include "upstream/lease.h"
#include "wire/reader.h"

namespace stateway::io {
class TlsStream;
}

namespace stateway::gateway {

struct OnLoop;
struct LoopConfig;

/// The client's connection, as far as an exchange uses it. Outlives the exchange.
struct Client {
  io::Stream& stream;
  wire::Reader& reader;
  std::string_view peer;  // IP address, or "unix"
  io::TlsStream* tls;     // the stream, where it is one; else nullptr
  bool leaving = false;   // there is no exchange after this one: the gateway, or this address, is given up
};

/// A response that the gateway makes itself.
struct OwnResponse {
  int status = 500;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

/// A request body kept for a second sending.
struct HeldBody {
  static constexpr std::size_t kBytesMax = 64 * 1024;  // what an exchange may cost in memory at most
  std::string bytes;
  bool complete = false;  // the whole body is in `bytes`
  bool gone = false;      // some of it is not kept: the request cannot be sent again
};

class BodyPump;

/// An instance's answer whose head has been read and whose body has not. Destroying it breaks it off.
struct Answer {
  explicit Answer(upstream::Lease l);
  ~Answer();
  /// After the last octet of the body: the connection goes back to its pool if both messages ended cleanly.
  /// The head is gone.
  void finish();

  upstream::Lease lease;
  std::unique_ptr<upstream::Connection> connection;
  SessionUrls::Grant session_url;
  session::Holders::Visit visit;   // placement hybrid
  std::unique_ptr<BodyPump> pump;  // the request's body, if it did not go out with the head
  http::ResponseHead head;         // views into the connection's reader
  http::Framing framing;
};

struct Exchange {
  Exchange(OnLoop& loop, Client& c);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  OnLoop& on;
  const std::shared_ptr<const Snapshot> config;  // before what it keeps alive for the other members
  std::shared_ptr<const LoopConfig> on_config;   // until there is a route
  Client& client;

  // by the connection, from the head
  http::RequestHead request;
  http::Framing framing;
  TimePoint started{};

  // by route
  http::Target target;
  std::string_view host;  // effective host, may carry a port; empty in HTTP/1.0
  std::string id;         // X-Request-Id
  bool trusted_peer = false;
  bool secure = false;     // the client came by TLS, to us or to a trusted proxy
  bool websocket = false;  // a well-formed opening handshake
  const route::RouteOptions* route = nullptr;
  const RouteUse* use = nullptr;
  std::shared_ptr<upstream::ServiceOnLoop> service;  // of the route; kept although a reload removes it

  // by identify
  std::optional<session::Slot> session;

  // by lane; ends with the commit, or whatever comes in its place
  session::Turn turn;

  // by forward
  HeldBody held;
  std::uint64_t body_bytes = 0;  // of the request, read so far
  unsigned attempts = 0;
  bool continued = false;  // the client was told 100 Continue
  bool sent = false;       // some octet of the request has been handed to an instance, in any attempt
  bool body_read = false;  // the client's body was read to its end; otherwise the connection cannot go on
  std::string instance;    // that answered last
  std::unique_ptr<Answer> answer;

  // by respond
  bool answering = false;  // an answer, the instance's or our own, is on its way to the client
  int status = 0;
  std::uint64_t bytes_out = 0;  // body octets to the client
  bool close = false;           // the connection must not be used again
  bool broken_off = false;      // the client got a part of an answer: it must see that it is one
  std::optional<Error> error;   // why the gateway answered itself

  const upstream::ServiceOptions& service_options() const { return config->services[use->service]; }
  bool safe() const { return http::is_safe(request.method); }
  /// Whether nobody would miss this exchange if its client went: it has no answer yet, and changes nothing or
  /// has not reached an instance.
  bool may_be_abandoned() const { return !answering && (safe() || !sent); }
};

}  // namespace stateway::gateway
