#include "io/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace stateway::io {
namespace {

constexpr std::size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

// What one record can hold of the buffers. Several small ones are put together: a record, and mostly a
// packet, each would cost more than copying. `scratch` keeps them.
std::string_view one_record(std::span<const iovec> from, std::array<char, kRecordBytes>& scratch) {
  const std::string_view first(static_cast<const char*>(from[0].iov_base), from[0].iov_len);
  if (from.size() == 1 || first.size() >= kRecordBytes) return first.substr(0, kRecordBytes);
  std::size_t filled = 0;
  for (const iovec& v : from) {
    const std::size_t n = std::min(v.iov_len, kRecordBytes - filled);
    if (n > 0) std::memcpy(scratch.data() + filled, v.iov_base, n);
    filled += n;
  }
  return {scratch.data(), filled};
}

}  // namespace

class TlsStream::Below final : public Stream::Edges {
 public:
  explicit Below(TlsStream& s) : Edges(*s.below_), stream_(s) {}

 private:
  void on_read_edge() override { stream_.on_read_edge(); }
  void on_write_edge() override { stream_.on_write_edge(); }
  void on_hangup() override { stream_.on_hangup_below(); }
  TlsStream& stream_;
};

// A hangup that a read found, which must not be told from inside it.
class TlsStream::HangupLater final : public Timer {
 public:
  explicit HangupLater(TlsStream& s) : Timer(s.loop().timers()), stream_(s) {}

 private:
  void on_timer() override { stream_.notify_hangup(); }
  TlsStream& stream_;
};

void TlsStream::Free::operator()(SSL* ssl) const {
  // Without this OpenSSL forgets the session of a connection that did not end cleanly. That it must is a rule
  // of SSL 3.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

TlsStream::TlsStream(std::unique_ptr<Stream> below, SSL* ssl, TlsPeer peer)
    : Stream(below->loop()),
      peer_(std::move(peer)),
      below_(std::move(below)),
      wire_{*below_},
      ssl_(ssl),
      edges_(std::make_unique<Below>(*this)),
      hangup_later_(std::make_unique<HangupLater>(*this)) {
  SSL_set_app_data(ssl, &peer_);
  BIO* const bio = new_bio(wire_);
  SSL_set_bio(ssl, bio, bio);
}

TlsStream::~TlsStream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (established_ && writable_ && !hard_) shutdown_write();
}

Task<Result<void>> TlsStream::handshake(TimePoint deadline) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    const int why = SSL_get_error(ssl_.get(), result);
    Result<void> waited;
    if (why == SSL_ERROR_WANT_READ) {
      read_ready_ = false;
      waited = co_await readable(deadline);
    } else if (why == SSL_ERROR_WANT_WRITE) {
      edges_->want_write_edge();
      waited = co_await next_write_edge(deadline);
    } else {
      Error error = handshake_error(why);
      note_end(End::broken);
      co_return std::unexpected(std::move(error));
    }
    if (!waited) co_return waited;
  }
  established_ = true;
  hung_up_ = below_->hung_up();
  look();
  co_return Result<void>{};
}

Error TlsStream::handshake_error(int why) {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return {Code::certificate_name, Side::self, Retry::never,
            "the certificate of " + peer_.name + " is for another name"};
  if (verified != X509_V_OK)
    return {
        Code::certificate_untrusted, Side::self, Retry::never,
        "the certificate of " + peer_.name + " is not trusted: " + X509_verify_cert_error_string(verified)};
  const unsigned long noted = ERR_peek_error();
  const int reason = ERR_GET_REASON(noted);
  got_http_ = reason == SSL_R_HTTP_REQUEST;
  const bool broke = wire_.error_number != 0 || wire_.ended;
  std::string said = "TLS handshake: ";
  if (wire_.error_number != 0)
    said += std::strerror(wire_.error_number);
  else if (wire_.ended)
    said += "the peer ended the connection";
  else if (got_http_ || reason == SSL_R_WRONG_VERSION_NUMBER)
    said += "the peer does not speak TLS";
  else if (const char* words = ERR_reason_error_string(noted); why == SSL_ERROR_SSL && words != nullptr)
    said += words;
  else
    said += "failed";
  return {Code::tls_failed, Side::self, broke ? Retry::always : Retry::never, std::move(said)};
}

void TlsStream::end_in_clear(std::string_view last_words) {
  const iovec one{const_cast<char*>(last_words.data()), last_words.size()};
  below_->try_write(std::span(&one, 1));
  below_->shutdown_write();
}

bool TlsStream::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string_view TlsStream::version() const { return SSL_get_version(ssl_.get()); }

Transfer TlsStream::try_read(std::span<char> into) {
  std::size_t got = 0;
  while (got < into.size() && end_ == End::none) {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), into.data() + got, into.size() - got, &n);
    got += n;
    if (result == 1) continue;
    note_read(result);
    break;
  }
  if (got == into.size())
    read_ready_ = end_ != End::none || SSL_has_pending(ssl_.get()) == 1 || below_->maybe_readable();
  if (got > 0) return {Transfer::State::ok, got};
  if (end_ == End::none) return {Transfer::State::again};
  return end_ == End::clean ? Transfer{Transfer::State::end} : broken();
}

// Why a read has nothing more.
void TlsStream::note_read(int result) {
  read_ready_ = false;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_WANT_WRITE:
      read_waits_to_write_ = true;
      edges_->want_write_edge();
      break;
    case SSL_ERROR_ZERO_RETURN:
      note_end(End::clean);
      break;
    default:
      note_end(End::broken);
  }
}

void TlsStream::note_end(End end) {
  end_ = end;
  read_ready_ = true;
  if (end == End::broken) {
    error_number_ = wire_.error_number != 0 ? wire_.error_number : wire_.ended ? ECONNRESET : EPROTO;
    writable_ = false;  // OpenSSL writes nothing any more
  }
  if (!std::exchange(hung_up_, true)) hangup_later_->arm(loop().now());
}

// Takes in what has come although nobody reads, so that a record without data wakes nobody and an end is
// noticed.
void TlsStream::look() {
  read_ready_ = true;
  if (end_ != End::none) return;
  char octet;
  std::size_t n = 0;
  ERR_clear_error();
  if (const int result = SSL_peek_ex(ssl_.get(), &octet, 1, &n); result != 1) note_read(result);
}

void TlsStream::on_read_edge() {
  if (!established_) return notify_readable();
  bool gone = false;
  destroyed_ = &gone;
  if (below_->hung_up()) hung_up_ = true;
  look();
  if (std::exchange(write_waits_to_read_, false)) notify_writable();
  if (!gone && read_ready_) notify_readable();
  if (!gone) destroyed_ = nullptr;
}

void TlsStream::on_write_edge() {
  bool gone = false;
  destroyed_ = &gone;
  if (owes_close_) end_our_side();
  if (std::exchange(read_waits_to_write_, false)) {
    look();
    if (read_ready_) notify_readable();
  }
  if (!gone) notify_writable();
  if (!gone) destroyed_ = nullptr;
}

void TlsStream::on_hangup_below() { notify_hangup(); }

Transfer TlsStream::try_write(std::span<const iovec> from) {
  if (end_ == End::broken) return broken();
  if (!writable_) return {Transfer::State::failed, 0, EPIPE};
  std::array<char, kRecordBytes> scratch;
  const std::string_view record = one_record(from, scratch);
  std::size_t written = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &written);
  in_record_ = result != 1;
  if (result == 1) return {Transfer::State::ok, written};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_WRITE:
      return {Transfer::State::again};
    case SSL_ERROR_WANT_READ:
      write_waits_to_read_ = true;
      return {Transfer::State::again};
    case SSL_ERROR_SYSCALL:  // what the peer said before may still be read
      writable_ = false;
      return {Transfer::State::failed, 0, wire_.error_number};
    default:
      note_end(End::broken);
      return broken();
  }
}

void TlsStream::want_write() { edges_->want_write_edge(); }

void TlsStream::shutdown_write() {
  if (!std::exchange(writable_, false)) return;
  end_our_side();
}

void TlsStream::end_our_side() {
  // After a part of a record nothing can follow: the peer finds the end inside it, an error, as it should.
  if (established_ && !in_record_) {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    owes_close_ = result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE;
    if (owes_close_) return edges_->want_write_edge();
  }
  below_->shutdown_write();
}

void TlsStream::abort() {
  writable_ = false;
  owes_close_ = false;
  below_->abort();
}

bool TlsStream::silent() { return end_ == End::none && SSL_has_pending(ssl_.get()) == 0 && below_->silent(); }

void TlsStream::reset_on_close() {
  hard_ = true;
  below_->reset_on_close();
}

Task<Result<std::unique_ptr<Stream>>> connect_tls(Network& network, std::shared_ptr<const TlsClient> client,
                                                  Address to, TimePoint deadline) {
  auto connected = co_await network.connect(to, deadline);
  if (!connected) co_return connected;
  std::unique_ptr<TlsStream> stream = client->over(std::move(*connected), to);
  auto shaken = co_await stream->handshake(deadline);
  if (!shaken) {
    Error error = std::move(shaken).error();
    error.side = Side::upstream;
    if (error.code == Code::timeout)
      error = {Code::connect_timeout, Side::upstream, Retry::always, "no TLS handshake in time"};
    co_return std::unexpected(std::move(error));
  }
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace stateway::io
