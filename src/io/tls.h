// Who we are and whom we trust in TLS: the settings that streams (io/tls_stream.h) are made with. TLS 1.2
// and 1.3 (RFC 5246, RFC 8446) by OpenSSL; no renegotiation, no compression, no early data.
//
// Immutable, but for sessions that may be resumed, which have a lock. Any thread; shared by all loops, so
// that a session begun on one is resumed on another.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "io/stream.h"

using SSL_CTX = struct ssl_ctx_st;  // as in openssl/types.h

namespace stateway::io {

class TlsSessions;
class TlsStream;

struct TlsContextFree {
  void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;

/// What is wrong with what a server was given.
struct TlsFault {
  enum class In : unsigned char { certificate, key };
  In in;
  std::string what;  // for the operator, to be read after the name of the file: "holds no certificate"
};

/// The accepting side. Asks clients for no certificate. Speaks "http/1.1" when asked by ALPN (RFC 7301).
class TlsServer {
 public:
  /// Both in PEM form: the server's own certificate, then those that lead to a root; its key, not encrypted.
  static std::expected<std::shared_ptr<const TlsServer>, TlsFault> make(std::string_view certificates,
                                                                        std::string_view key);

  /// Lays TLS over a stream that was accepted. Its handshake comes first.
  std::unique_ptr<TlsStream> over(std::unique_ptr<Stream> below) const;

 private:
  explicit TlsServer(TlsContext context) : context_(std::move(context)) {}
  TlsContext context_;
};

/// The connecting side. Trusts the peer's certificate only if it leads to a known authority and is for the
/// peer's name. Keeps the last session of each peer.
class TlsClient {
 public:
  /// `authorities_file`: certificates in PEM form; empty: those of the system. Blocks. Errors:
  /// invalid_argument, one sentence that begins with the file's name.
  static Result<std::shared_ptr<const TlsClient>> open(const std::string& authorities_file);
  ~TlsClient();

  /// Lays TLS over a stream to `peer`, whose host must be in the certificate: a DNS name, or an IP address
  /// among its addresses (RFC 9525). Sessions are kept by host and port. Its handshake comes first.
  std::unique_ptr<TlsStream> over(std::unique_ptr<Stream> below, const Address& peer) const;

 private:
  explicit TlsClient(TlsContext context);
  TlsContext context_;
  std::shared_ptr<TlsSessions> sessions_;
};

}  // namespace stateway::io
