#include "io/tls_sessions.h"

#include <openssl/ssl.h>

namespace stateway::io {

namespace {

TlsSessions::Session copy_of(const SSL_SESSION* session) {
  return {SSL_SESSION_dup(session), SSL_SESSION_free};
}

// With TLS 1.3 sessions come after the handshake, several for one connection.
int take(SSL* ssl, SSL_SESSION* session) {
  const auto* peer = static_cast<const TlsPeer*>(SSL_get_app_data(ssl));
  peer->sessions->keep(peer->name, *session);
  return 0;  // we hold no reference to it
}

}  // namespace

void TlsSessions::collect_from(SSL_CTX& context) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(&context, take);
}

void TlsSessions::keep(const std::string& peer, const SSL_SESSION& session) {
  Session kept = copy_of(&session);
  const std::scoped_lock lock(mutex_);
  if (sessions_.size() >= kPeersMax && !sessions_.contains(peer)) sessions_.clear();
  sessions_[peer].swap(kept);  // the old one is freed when the lock is not held any more
}

TlsSessions::Session TlsSessions::find(const std::string& peer) const {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(peer);
  return found == sessions_.end() ? nullptr : copy_of(found->second.get());
}

}  // namespace stateway::io
