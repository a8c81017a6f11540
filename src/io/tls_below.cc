#include "io/tls_below.h"

#include <openssl/bio.h>

namespace stateway::io {
namespace {

TlsBelow& below_of(BIO* bio) { return *static_cast<TlsBelow*>(BIO_get_data(bio)); }

// OpenSSL wants -1 for "later" and for an error; 0 is the end. (With the newer functions, which say 0 for all
// of them, a close_notify that found no room counts as sent.)
int read_below(BIO* bio, char* into, int size) {
  TlsBelow& below = below_of(bio);
  BIO_clear_retry_flags(bio);
  Transfer t{Transfer::State::again};  // without asking the system, as long as no edge came
  if (below.stream.maybe_readable()) t = below.stream.try_read({into, static_cast<std::size_t>(size)});
  switch (t.state) {
    case Transfer::State::ok:
      return static_cast<int>(t.bytes);
    case Transfer::State::again:
      BIO_set_retry_read(bio);
      break;
    case Transfer::State::end:
      below.ended = true;
      return 0;
    case Transfer::State::failed:
      below.error_number = t.error_number;
      break;
  }
  return -1;
}

int write_below(BIO* bio, const char* from, int size) {
  TlsBelow& below = below_of(bio);
  BIO_clear_retry_flags(bio);
  const iovec one{const_cast<char*>(from), static_cast<std::size_t>(size)};
  const Transfer t = below.stream.try_write(std::span(&one, 1));
  if (t.state == Transfer::State::ok) return static_cast<int>(t.bytes);
  if (t.state == Transfer::State::again)
    BIO_set_retry_write(bio);
  else
    below.error_number = t.error_number;
  return -1;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && below_of(bio).ended ? 1 : 0;
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stream");
    CHECK(m != nullptr);
    BIO_meth_set_read(m, read_below);
    BIO_meth_set_write(m, write_below);
    BIO_meth_set_ctrl(m, control);
    return m;
  }();
  return made;
}

}  // namespace

BIO* new_bio(TlsBelow& below) {
  BIO* bio = BIO_new(method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, &below);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace stateway::io
