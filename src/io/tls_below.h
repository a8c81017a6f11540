// What OpenSSL reads from and writes to: the non-blocking primitives of a stream.
#pragma once

#include "io/stream.h"

using BIO = struct bio_st;  // as in openssl/types.h

namespace stateway::io {

/// The stream, and how it ended.
struct TlsBelow {
  Stream& stream;
  int error_number = 0;  // of a read or write that failed
  bool ended = false;    // a read found the end
};

/// A new BIO over `below`, which must outlive it. It owns nothing.
BIO* new_bio(TlsBelow& below);

}  // namespace stateway::io
