// TLS over another stream, with the awaitables and promises of every stream (io/stream.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/network.h"
#include "io/stream.h"
#include "io/task.h"
#include "io/tls.h"
#include "io/tls_below.h"
#include "io/tls_sessions.h"

namespace stateway::io {

/// Made by TlsServer::over and TlsClient::over. `handshake` must have succeeded before anything else is done
/// with it but destroying it or `abort`.
///
/// What its promises mean here:
/// - The end of the stream is the peer's close_notify (RFC 8446 §6.1). An end without it is an error,
/// ECONNRESET:
///   somebody may have cut off the rest. An end of either kind is a hangup.
/// - What was written is with the stream below when write_all completes: nothing is held back. Octets that a
/// failed
///   write left in the middle of a record cannot be read by the peer.
/// - shutdown_write sends close_notify and ends the side below too. The destructor does the same if it can do
/// so at
///   once, but not after abort, reset_on_close or an unfinished write.
/// - Records that carry no data (session tickets, key updates) make nobody's read ready.
class TlsStream final : public Stream {
 public:
  /// Takes over both. For TlsServer and TlsClient.
  TlsStream(std::unique_ptr<Stream> below, SSL* ssl, TlsPeer peer);
  ~TlsStream() override;

  /// Once, first; as a whole by `deadline`. Errors: timeout; certificate_untrusted, certificate_name
  /// (Retry::never); tls_failed: the peer does not speak TLS, or not with us, or the connection broke. With
  /// what in the context.
  Task<Result<void>> handshake(TimePoint deadline);
  /// After a failed handshake: the client sent an HTTP request in the clear.
  bool got_http() const { return got_http_; }
  /// After a failed handshake: says so in the clear, as far as that goes at once, and ends our side.
  void end_in_clear(std::string_view last_words);
  /// After the handshake: the session was resumed, without looking at a certificate again.
  bool resumed() const;
  /// After the handshake: "TLSv1.3". Static.
  std::string_view version() const;

  Transfer try_read(std::span<char> into) override;
  Transfer try_write(std::span<const iovec> from) override;
  void shutdown_write() override;
  void abort() override;
  bool silent() override;
  void reset_on_close() override;

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };
  class Below;
  class HangupLater;
  enum class End : unsigned char { none, clean, broken };

  void on_read_edge();
  void on_write_edge();
  void on_hangup_below();
  void look();
  void note_read(int result);
  void note_end(End end);
  void end_our_side();
  void want_write() override;
  Transfer broken() const { return {Transfer::State::failed, 0, error_number_}; }
  Error handshake_error(int why);

  TlsPeer peer_;
  std::unique_ptr<Stream> below_;
  TlsBelow wire_;
  std::unique_ptr<SSL, Free> ssl_;
  std::unique_ptr<Below> edges_;
  std::unique_ptr<HangupLater> hangup_later_;
  bool* destroyed_ = nullptr;  // of whoever must know whether what it called destroyed the stream
  int error_number_ = 0;
  End end_ = End::none;  // of the peer's side
  bool established_ = false;
  bool writable_ = true;     // our side has not ended
  bool in_record_ = false;   // a record was written in part
  bool owes_close_ = false;  // close_notify did not go out yet
  bool read_waits_to_write_ = false;
  bool write_waits_to_read_ = false;
  bool hard_ = false;
  bool got_http_ = false;
};

/// Connects and shakes hands by `deadline`; `to` is a TCP address or name. Errors: those of Network::connect
/// and TlsStream::handshake, whose timeout is connect_timeout here; Side::upstream.
Task<Result<std::unique_ptr<Stream>>> connect_tls(Network& network, std::shared_ptr<const TlsClient> client,
                                                  Address to, TimePoint deadline);

}  // namespace stateway::io
