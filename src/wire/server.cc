#include "wire/server.h"

#include "http/authority.h"
#include "http/date.h"
#include "http/problem.h"
#include "http/writer.h"
#include "wire/linger.h"

namespace stateway::wire {

Response problem_response(int status, std::string_view code, std::string_view title,
                          std::string_view detail) {
  Response out;
  out.status = status;
  out.fields.emplace_back("Content-Type", http::kProblemContentType);
  out.body = http::problem_json({.code = code, .title = title, .status = status, .detail = detail});
  return out;
}

// One client's connection. Known to the server so that it can be ended while it is idle.
class Server::Connection final {
 public:
  Connection(Server& server, io::Accepted accepted)
      : server_(server),
        accepted_(std::move(accepted)),
        reader_(*accepted_.stream, Side::client, server.options_.head) {
    next_ = server_.first_;
    if (next_ != nullptr) next_->previous_ = this;
    server_.first_ = this;
    ++server_.open_;
  }
  ~Connection() {
    (previous_ != nullptr ? previous_->next_ : server_.first_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    --server_.open_;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  io::Task<void> serve() {
    while (!server_.draining_) {
      idle_ = true;
      idle_since_ = server_.loop_.now();
      server_.room_.wake();
      const auto alive = co_await reader_.wait_for_octets(server_.loop_.now() + server_.options_.idle);
      idle_ = false;
      if (!alive || !*alive) co_return;
      if (!co_await serve_one(server_.loop_.now() + server_.options_.message_timeout)) co_return;
    }
  }
  void end_if_idle() {
    if (idle_) accepted_.stream->abort();
  }
  /// Not one whose request has come but has not been read.
  bool may_make_room() const { return idle_ && reader_.empty() && accepted_.stream->silent(); }
  TimePoint idle_since() const { return idle_since_; }
  Connection* next() { return next_; }

 private:
  // False when the connection must end.
  io::Task<bool> serve_one(TimePoint deadline) {
    http::RequestHead head;
    std::string body;
    const auto read = co_await read_request(head, body, deadline);
    if (!read) {
      if (read.error().side != Side::client || read.error().code == Code::io) co_return false;
      Response refused = problem_response(status_of(read.error().code), code_name(read.error().code), "",
                                          read.error().context);
      refused.close = true;
      if (co_await respond(refused, http::Method::other, false)) co_await linger(*accepted_.stream);
      co_return false;
    }
    auto target = http::parse_target(head.method, head.target);
    Response response;
    if (target && target->form == http::Target::Form::authority) {
      response = problem_response(405, code_name(Code::method_not_allowed), "", "this is no proxy");
      response.fields.emplace_back("Allow", "GET, HEAD");
    } else if (!target) {
      response = problem_response(400, code_name(target.error().code), "", target.error().context);
    } else {
      const Request request{head, std::move(*target), std::move(body), accepted_.peer};
      response = co_await server_.handler_.handle(request);
    }
    const bool chunked = response.source != nullptr && head.minor >= 1;
    const bool keep = http::keep_alive(head) && !response.close && !server_.draining_ &&
                      (response.source == nullptr || chunked);
    const bool written = response.source == nullptr
                             ? co_await respond(response, head.method, keep)
                             : co_await respond_from_source(response, head.method, keep, chunked);
    server_.handler_.answered();
    reader_.finish_message();
    co_return written&& keep;
  }

  io::Task<Result<void>> read_request(http::RequestHead& head, std::string& body, TimePoint deadline) {
    if (auto got = co_await reader_.read_head(head, deadline); !got) co_return got;
    if (auto host = http::effective_host(head, {}); !host) co_return pass_on(std::move(host));
    const auto framing = http::request_framing(head);
    if (!framing) co_return fail(framing.error().code, Side::client, framing.error().context);
    const bool waits = head.fields.has(http::FieldId::expect) && framing->kind != http::Framing::Kind::none;
    if (waits) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      if (auto said = co_await accepted_.stream->write_all(kContinue, deadline); !said) co_return said;
    }
    reader_.begin_body(*framing);
    for (;;) {
      auto piece = co_await reader_.next(deadline);
      if (!piece) co_return pass_on(std::move(piece));
      if (body.size() + piece->data.size() > server_.options_.body_bytes_max)
        co_return fail(Code::body_too_large, Side::client, "the body is larger than this address takes");
      body.append(piece->data);
      if (piece->done) co_return Result<void>{};
    }
  }

  std::string begin_head(const Response& response) const {
    std::string head;
    http::append_status_line(head, response.status, http::reason_phrase(response.status));
    http::DateText date;
    http::append_field(head, "Date", date.at(server_.wall_now()));
    for (const auto& [name, value] : response.fields) http::append_own_field(head, name, value);
    return head;
  }

  // Each piece has its own deadline: how long the whole takes is the client's affair.
  io::Task<bool> write(std::string_view octets) {
    const auto written =
        co_await accepted_.stream->write_all(octets, server_.loop_.now() + server_.options_.message_timeout);
    co_return written.has_value();
  }

  io::Task<bool> respond_from_source(const Response& response, http::Method method, bool keep, bool chunked) {
    std::string head = begin_head(response);
    if (chunked) http::append_field(head, "Transfer-Encoding", "chunked");
    if (!keep) http::append_field(head, "Connection", "close");
    http::end_head(head);
    if (!co_await write(head)) co_return false;
    if (method == http::Method::head) co_return true;
    for (;;) {
      const Result<std::string> piece = co_await response.source->next();
      if (!piece) {
        accepted_.stream->reset_on_close();
        co_return false;
      }
      if (piece->empty()) break;
      std::string framed;
      if (chunked) framed = http::ChunkHeader(piece->size()).view();
      framed += *piece;
      if (chunked) framed += http::kChunkEnd;
      if (!co_await write(framed)) co_return false;
    }
    if (!chunked) co_return true;
    co_return co_await write(http::kLastChunk);
  }

  io::Task<bool> respond(const Response& response, http::Method method, bool keep) {
    std::string head = begin_head(response);
    const bool bodiless = response.status < 200 || response.status == 204 || response.status == 304;
    if (!bodiless) http::append_field(head, "Content-Length", response.body.size());
    if (!keep) http::append_field(head, "Connection", "close");
    http::end_head(head);
    const std::size_t body_size = bodiless || method == http::Method::head ? 0 : response.body.size();
    const iovec parts[] = {{head.data(), head.size()}, {const_cast<char*>(response.body.data()), body_size}};
    const auto written =
        co_await accepted_.stream->write_all(parts, server_.loop_.now() + server_.options_.message_timeout);
    co_return written.has_value();
  }

  static int status_of(Code code) {
    switch (code) {
      case Code::body_too_large:
        return 413;
      case Code::target_too_long:
        return 414;
      case Code::head_too_large:
        return 431;
      case Code::timeout:
        return 408;
      case Code::version_unsupported:
        return 505;
      default:
        return 400;
    }
  }

  Server& server_;
  io::Accepted accepted_;
  Reader reader_;
  bool idle_ = false;
  TimePoint idle_since_{};
  Connection* previous_ = nullptr;
  Connection* next_ = nullptr;
};

WallMillis Server::wall_now() const {
  return options_.clock != nullptr ? options_.clock->now() : SystemClock().now();
}

io::Task<void> Server::accept_from(io::Acceptor& acceptor) {
  for (;;) {
    Result<io::Accepted> accepted = co_await acceptor.accept();
    if (!accepted) {
      co_await io::sleep_for(loop_, 100ms);  // short of descriptors: wait for some to be closed
      continue;
    }
    co_await make_room();
    connections_.spawn(serve(std::move(*accepted)));
  }
}

io::Task<void> Server::make_room() {
  while (open_ >= options_.connections_max) {
    Connection* longest = nullptr;
    for (Connection* c = first_; c != nullptr; c = c->next())
      if (c->may_make_room() && (longest == nullptr || c->idle_since() < longest->idle_since())) longest = c;
    if (longest != nullptr) longest->end_if_idle();
    (void)co_await room_.wait(loop_.now() + options_.idle);  // one ends, or becomes idle
  }
}

io::Task<void> Server::serve(io::Accepted accepted) {
  {
    Connection connection(*this, std::move(accepted));
    co_await connection.serve();
  }
  room_.wake();
}

void Server::drain() {
  draining_ = true;
  for (Connection* c = first_; c != nullptr; c = c->next()) c->end_if_idle();
}

}  // namespace stateway::wire
