#include "io/sim/certificates.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace stateway::io {
namespace {

constexpr long kDay = 24 * 3600;

template <auto Release>
struct Releaser {
  void operator()(auto* p) const { Release(p); }
};
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Releaser<BIO_free>>;

PrivateKey new_key() {
  PrivateKey key(EVP_EC_gen("P-256"));
  CHECK(key != nullptr);
  return key;
}

void add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// Without an issuer: for itself.
Certificate new_certificate(const std::string& name, EVP_PKEY* key, X509* issuer, int days) {
  Certificate made(X509_new());
  CHECK(made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1);
  std::uint64_t serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), (days - 1) * kDay);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer == nullptr ? made.get() : issuer));
  return made;
}

template <class Write>
std::string pem_of(Write write) {
  const Memory memory(BIO_new(BIO_s_mem()));
  CHECK(memory != nullptr && write(memory.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
  return pem_of([certificate](BIO* to) { return PEM_write_bio_X509(to, certificate); });
}

bool is_ip(const std::string& name) {
  in6_addr any;
  return inet_pton(AF_INET, name.c_str(), &any) == 1 || inet_pton(AF_INET6, name.c_str(), &any) == 1;
}

}  // namespace

struct TestAuthority::Impl {
  PrivateKey key;
  Certificate certificate;
};

TestAuthority::TestAuthority(const std::string& name) : impl_(std::make_unique<Impl>()) {
  impl_->key = new_key();
  impl_->certificate = new_certificate(name, impl_->key.get(), nullptr, 365);
  X509* own = impl_->certificate.get();
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(own, own, NID_subject_key_identifier, "hash");
  CHECK(X509_sign(own, impl_->key.get(), EVP_sha256()) > 0);
}

TestAuthority::~TestAuthority() = default;

std::string TestAuthority::certificate() const { return pem(impl_->certificate.get()); }

TestCertificate TestAuthority::issue(const std::vector<std::string>& names, int days) const {
  const PrivateKey key = new_key();
  X509* issuer = impl_->certificate.get();
  const Certificate made = new_certificate("A server of a test", key.get(), issuer, days);
  std::string alternatives;
  for (const std::string& name : names) {
    if (!alternatives.empty()) alternatives += ',';
    alternatives += (is_ip(name) ? "IP:" : "DNS:") + name;
  }
  add_extension(made.get(), issuer, NID_subject_alt_name, alternatives);
  add_extension(made.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(made.get(), issuer, NID_authority_key_identifier, "keyid");
  CHECK(X509_sign(made.get(), impl_->key.get(), EVP_sha256()) > 0);
  return {pem(made.get()), pem_of([&key](BIO* to) {
            return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace stateway::io
