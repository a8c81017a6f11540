// The sessions a client may resume.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

using SSL = struct ssl_st;  // as in openssl/types.h
using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;

namespace stateway::io {

/// The last session of each peer, for all loops. Any thread. It takes and gives copies: connections write
/// into their sessions.
class TlsSessions {
 public:
  using Session = std::shared_ptr<SSL_SESSION>;

  /// Makes connections of `context` hand over their sessions. Each needs its TlsPeer as application data.
  static void collect_from(SSL_CTX& context);

  void keep(const std::string& peer, const SSL_SESSION& session);
  /// Null: none.
  Session find(const std::string& peer) const;

 private:
  // A gateway has a handful of peers; a map that is full is one that is misused, and starts again.
  static constexpr std::size_t kPeersMax = 1024;

  mutable std::mutex mutex_;
  std::map<std::string, Session> sessions_;
};

/// To whom a connection is made. Both empty on the accepting side.
struct TlsPeer {
  std::string name;  // host and port
  std::shared_ptr<TlsSessions> sessions;
};

}  // namespace stateway::io
