// Plays a script: is its clients and its upstreams, with real sockets, against a gateway that runs.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/address.h"
#include "io/sockets.h"
#include "raw.h"
#include "script.h"

namespace stateway::scenario {

/// Where the gateway connects to. Outlives the gateway, so that it never meets a refused connect.
class UpstreamPort {
 public:
  /// CHECKs that it can listen.
  explicit UpstreamPort(const Address& address);
  /// The next connection; not connected() when none comes within `patience`.
  Raw accept(Duration patience);
  const Address& address() const { return socket_.address(); }

 private:
  io::ListenSocket socket_;
};

/// One play. Mistakes fail the running test, each with its line; the first one ends the play.
class Player {
 public:
  Player(const Address& gateway, UpstreamPort& upstream) : gateway_(gateway), upstream_(upstream) {}

  void play(std::span<const Step> steps, const std::string& file);

 private:
  struct Peer {
    std::unique_ptr<Raw> raw;
    std::string unread;
  };

  bool run(std::span<const Step> steps);
  bool run(const Step& step);
  bool get(const Step& step, Peer& peer);
  bool see_end(const Step& step, Peer& peer);
  Peer* peer_of(const Step& step);
  void expect_nothing_more();
  bool failed(const Step& step, std::string_view what);

  const Address gateway_;
  UpstreamPort& upstream_;
  std::string file_;
  std::map<unsigned, Peer> clients_, upstreams_;
};

}  // namespace stateway::scenario
