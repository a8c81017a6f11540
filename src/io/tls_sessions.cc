#include "io/tls_sessions.h"

#include <openssl/ssl.h>

namespace stateway::io {

namespace {

// With TLS 1.3 sessions come after the handshake, several for one connection.
int take_over(SSL* ssl, SSL_SESSION* session) {
  const auto* peer = static_cast<const TlsPeer*>(SSL_get_app_data(ssl));
  peer->sessions->keep(peer->name, session);
  return 1;
}

}  // namespace

void TlsSessions::collect_from(SSL_CTX& context) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(&context, take_over);
}

void TlsSessions::keep(const std::string& peer, SSL_SESSION* session) {
  Session kept(session, SSL_SESSION_free);
  const std::scoped_lock lock(mutex_);
  if (sessions_.size() >= kPeersMax && !sessions_.contains(peer)) sessions_.clear();
  sessions_[peer].swap(kept);  // the old one is freed when the lock is not held any more
}

TlsSessions::Session TlsSessions::find(const std::string& peer) const {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(peer);
  return found == sessions_.end() ? nullptr : found->second;
}

}  // namespace stateway::io
