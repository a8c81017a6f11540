#include "io/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/tls_sessions.h"
#include "io/tls_stream.h"

namespace stateway::io {
namespace {

// Forward secrecy and authenticated encryption only; those of TLS 1.3 are all of that kind.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr long kResumableSeconds = 2 * 3600;
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

template <auto Release>
struct Releaser {
  void operator()(auto* p) const { Release(p); }
};
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Releaser<BIO_free>>;

Memory memory_of(std::string_view text) {
  Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(memory != nullptr);
  return memory;
}

// The first reason of those that OpenSSL has noted.
std::string reason() {
  const char* said = ERR_reason_error_string(ERR_peek_error());
  return said == nullptr ? "OpenSSL does not say why" : said;
}

TlsContext new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(context.get(), kCiphers12) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection holds no buffers. A write that is repeated may come from other memory.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // one read of the socket for a record, not two
  SSL_CTX_set_timeout(context.get(), kResumableSeconds);
  return context;
}

int no_passphrase(char*, int, int, void*) { return -1; }

std::unexpected<TlsFault> fault(TlsFault::In in, std::string what) {
  return std::unexpected(TlsFault{in, std::move(what)});
}

std::expected<void, TlsFault> use_certificates(SSL_CTX* context, std::string_view pem) {
  constexpr auto kIn = TlsFault::In::certificate;
  const Memory memory = memory_of(pem);
  const Certificate own(PEM_read_bio_X509_AUX(memory.get(), nullptr, no_passphrase, nullptr));
  if (own == nullptr && ERR_GET_REASON(ERR_peek_error()) == PEM_R_NO_START_LINE)
    return fault(kIn, "holds no certificate in PEM form");
  if (own == nullptr) return fault(kIn, "holds a certificate that cannot be read: " + reason());
  if (SSL_CTX_use_certificate(context, own.get()) != 1)
    return fault(kIn, "holds a certificate that cannot be used: " + reason());
  for (;;) {
    const Certificate next(PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr));
    if (next == nullptr) break;
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1)
      return fault(kIn, "holds a certificate that cannot be used: " + reason());
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return fault(kIn, "holds a certificate that cannot be read: " + reason());
  ERR_clear_error();
  return {};
}

std::expected<void, TlsFault> use_key(SSL_CTX* context, std::string_view pem) {
  constexpr auto kIn = TlsFault::In::key;
  const PrivateKey key(PEM_read_bio_PrivateKey(memory_of(pem).get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr && pem.contains("ENCRYPTED"))
    return fault(kIn, "is encrypted: Stateway cannot ask for a passphrase");
  if (key == nullptr) return fault(kIn, "holds no private key in PEM form");
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1)
    return fault(kIn, "is not the key of the certificate");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return fault(kIn, "cannot be used: " + reason());
  return {};
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kHttp11, sizeof kHttp11, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

bool is_ip(const std::string& host) {
  in6_addr any;
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

}  // namespace

void TlsContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

std::expected<std::shared_ptr<const TlsServer>, TlsFault> TlsServer::make(std::string_view certificates,
                                                                          std::string_view key) {
  TlsContext context = new_context(TLS_server_method());
  if (auto used = use_certificates(context.get(), certificates); !used)
    return std::unexpected(std::move(used).error());
  if (auto used = use_key(context.get(), key); !used) return std::unexpected(std::move(used).error());
  // Sessions are in tickets alone, sealed with keys of this context.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(context)));
}

std::unique_ptr<TlsStream> TlsServer::over(std::unique_ptr<Stream> below) const {
  SSL* ssl = SSL_new(context_.get());
  CHECK(ssl != nullptr);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsStream>(std::move(below), ssl, TlsPeer{});
}

TlsClient::TlsClient(TlsContext context)
    : context_(std::move(context)), sessions_(std::make_shared<TlsSessions>()) {}

TlsClient::~TlsClient() = default;

Result<std::shared_ptr<const TlsClient>> TlsClient::open(const std::string& authorities_file) {
  TlsContext context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (authorities_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1)
      return fail(Code::invalid_argument, Side::self, "the system's authorities cannot be read: " + reason());
  } else {
    errno = 0;
    if (SSL_CTX_load_verify_file(context.get(), authorities_file.c_str()) != 1) {
      const int error = errno;
      const bool unreadable = ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SYS;
      return fail(Code::invalid_argument, Side::self,
                  authorities_file + (unreadable ? ": " + std::string(std::strerror(error))
                                                 : std::string(": holds no certificate in PEM form")));
    }
  }
  TlsSessions::collect_from(*context);
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(context)));
}

std::unique_ptr<TlsStream> TlsClient::over(std::unique_ptr<Stream> below, const Address& peer) const {
  SSL* ssl = SSL_new(context_.get());
  CHECK(ssl != nullptr);
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const std::string& name = peer.host;
  if (is_ip(name)) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1);
  } else {
    CHECK(!name.empty() && X509_VERIFY_PARAM_set1_host(expected, name.c_str(), name.size()) == 1);
    CHECK(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1);
  }
  const std::string key = to_string(peer);
  if (const TlsSessions::Session session = sessions_->find(key)) SSL_set_session(ssl, session.get());
  return std::make_unique<TlsStream>(std::move(below), ssl, TlsPeer{key, sessions_});
}

}  // namespace stateway::io
