#include "gateway/connection.h"

#include "gateway/access_log.h"
#include "gateway/pipeline.h"
#include "gateway/problem.h"
#include "gateway/respond.h"
#include "wire/linger.h"

namespace stateway::gateway {
namespace {

http::HeadLimits head_limits(const LimitsOptions& limits) {
  return {limits.head_bytes_max, limits.target_bytes_max, limits.fields_max};
}

io::Accepted with_tls(io::Accepted accepted, const io::TlsServer* tls, io::TlsStream*& out) {
  if (tls == nullptr) return accepted;
  std::unique_ptr<io::TlsStream> over = tls->over(std::move(accepted.stream));
  out = over.get();
  accepted.stream = std::move(over);
  return accepted;
}

constexpr std::string_view kNotTls =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: application/problem+json\r\n"
    "Content-Length: 80\r\n"
    "Connection: close\r\n\r\n"
    "{\"type\":\"about:blank\",\"status\":400,\"title\":\"This address speaks TLS: use https\"}";

}  // namespace

Connection::Connection(OnLoop& on, io::Accepted accepted, const io::TlsServer* tls)
    : on_(on),
      accepted_(with_tls(std::move(accepted), tls, tls_)),
      reader_(*accepted_.stream, Side::client, head_limits(on.limits())),
      client_{*accepted_.stream, reader_, accepted_.peer, tls_} {
  on_.counters.connections.fetch_add(1, std::memory_order_relaxed);
  on_.counters.connections_total.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() { on_.counters.connections.fetch_sub(1, std::memory_order_relaxed); }

// Whatever fails here is the client's affair, or that of somebody who scans ports: counted, not logged.
io::Task<bool> Connection::shake_hands() {
  idle_ = true;
  const auto shaken = co_await tls_->handshake(on_.loop.now() + on_.limits().head_timeout);
  idle_ = false;
  if (shaken) co_return true;
  on_.counters.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
  if (tls_->got_http()) tls_->end_in_clear(kNotTls);
  co_return false;
}

io::Task<void> Connection::serve() {
  if (tls_ != nullptr && !co_await shake_hands()) co_return;
  while (!client_.leaving) {
    const LimitsOptions& limits = on_.limits();
    idle_ = true;
    const auto alive = co_await reader_.wait_for_octets(on_.loop.now() +
                                                        (first_ ? limits.head_timeout : limits.client_idle));
    idle_ = false;
    first_ = false;
    if (!alive || !*alive) co_return;
    if (!co_await serve_one()) co_return;
  }
}

void Connection::leave() {
  client_.leaving = true;
  // A request that has come but has not been read is served, as the last one.
  if (!idle_ || !accepted_.stream->silent()) return;
  accepted_.stream->shutdown_write();  // a clean end, also where that is more than closing the socket
  accepted_.stream->abort();
}

// Undone also when the connection is cut in the middle: then a client that has a part of an answer must see a
// reset.
class Connection::InFlight {
 public:
  InFlight(Connection& c, Exchange& x) : connection_(c) {
    c.on_.counters.exchanges.fetch_add(1, std::memory_order_relaxed);
    c.on_.counters.exchanges_total.fetch_add(1, std::memory_order_relaxed);
    c.current_ = &x;
    // A client that had ended its side before its request was read (`printf … | nc -N`) still waits for the
    // answer.
    if (!c.accepted_.stream->hung_up()) c.accepted_.stream->set_hangup_listener(&c);
  }
  ~InFlight() {
    if (!over_ && connection_.current_->answering) connection_.accepted_.stream->reset_on_close();
    connection_.accepted_.stream->set_hangup_listener(nullptr);
    connection_.current_ = nullptr;
    connection_.on_.counters.exchanges.fetch_sub(1, std::memory_order_relaxed);
  }
  void over() { over_ = true; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Connection& connection_;
  bool over_ = false;
};

// One exchange. False: the connection has ended, or must.
io::Task<bool> Connection::serve_one() {
  Exchange x(on_, client_);
  x.started = on_.loop.now();
  reader_.set_limits(head_limits(x.config->limits));
  auto read = co_await reader_.read_head(x.request, x.started + x.config->limits.head_timeout);
  Result<http::Framing> framing =
      read ? http::request_framing(x.request) : Result<http::Framing>(pass_on(std::move(read)));
  if (!framing) {
    Error error = std::move(framing).error();
    if (error.code == Code::timeout) error.code = Code::head_timeout;
    co_await refuse(x, std::move(error));
    co_return false;
  }
  x.framing = *framing;
  x.body_read = x.framing.kind == http::Framing::Kind::none;
  reader_.begin_body(x.framing);

  Result<bool> finished = true;
  {
    InFlight in_flight(*this, x);
    finished = co_await io::cancellable(run(x), scope_);
    in_flight.over();
  }
  if (x.config->log.access) log_exchange(x);
  x.answer.reset();  // with the pump, which may still be reading from the client
  if (!finished) co_return false;
  if (x.broken_off) accepted_.stream->reset_on_close();
  if (x.close) {
    if (!x.body_read && !x.broken_off) co_await wire::linger(*accepted_.stream);
    co_return false;
  }
  (void)reader_.next_buffered();  // moves the decoder of an empty body to its end
  reader_.finish_message();
  co_return true;
}

io::Task<Result<bool>> Connection::run(Exchange& x) {
  co_await on_.pipeline.run(x);
  co_return true;
}

// A head that could not be understood: nothing more can be read from this connection.
io::Task<void> Connection::refuse(Exchange& x, Error error) {
  x.close = true;
  x.error = error;
  on_.counters.problems.fetch_add(1, std::memory_order_relaxed);
  co_await respond_own(x, problem_response(x, error));
  if (x.config->log.access && x.status != 0) log_exchange(x);
  if (x.status != 0) co_await wire::linger(*accepted_.stream);
}

void Connection::on_hangup() {
  if (current_ == nullptr || !current_->may_be_abandoned()) return;
  on_.counters.client_gone.fetch_add(1, std::memory_order_relaxed);
  scope_.cancel();
}

}  // namespace stateway::gateway
