#include "base/secret.h"

#include <openssl/crypto.h>

namespace stateway {
Secret::~Secret() { OPENSSL_cleanse(value_.data(), value_.size()); }
}  // namespace stateway
