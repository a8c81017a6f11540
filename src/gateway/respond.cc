#include "gateway/respond.h"

#include "gateway/body_pump.h"
#include "gateway/on_loop.h"
#include "gateway/problem.h"
#include "gateway/response_head.h"
#include "gateway/tunnel.h"
#include "http/forwarding.h"
#include "http/problem.h"
#include "http/writer.h"

namespace stateway::gateway {
namespace {

using Kind = http::Framing::Kind;

bool may_keep_alive(const Exchange& x) {
  return !x.close && !x.client.leaving && http::keep_alive(x.request) && x.body_read;
}

iovec buffer(std::string_view s) { return {const_cast<char*>(s.data()), s.size()}; }

// What came of the body with its head is read and forgotten, so that a small one does not cost the
// connection.
void discard_buffered_body(Exchange& x) {
  while (!x.body_read) {
    const auto piece = x.client.reader.next_buffered();
    if (!piece || (piece->data.empty() && !piece->done)) return;
    x.body_read = piece->done;
  }
}

// A small body is copied behind its head: one buffer costs the kernel less than two.
constexpr std::size_t kCopiedBytesMax = 2048;

// The body of one answer, piece by piece, behind a head that goes out with the first piece.
class BodyCopy {
 public:
  BodyCopy(Exchange& x, http::Framing framing, std::string head)
      : x_(x), reader_(x.answer->connection->reader()), framing_(framing), head_(std::move(head)) {}

  /// True when the whole message was sent.
  io::Task<bool> run() {
    const Duration idle = x_.service_options().timeout.idle;
    for (;;) {
      auto piece = reader_.next_buffered();
      if (!piece) co_return false;
      if (piece->data.empty() && !piece->done) {
        if (!head_.empty() && !co_await send({}, false)) co_return false;
        const auto filled = co_await reader_.fill(x_.on.loop.now() + idle);
        if (!filled) co_return false;
        continue;
      }
      if (!co_await send(piece->data, piece->done)) co_return false;
      if (piece->done) co_return true;
    }
  }

 private:
  io::Task<bool> send(std::string_view data, bool last) {
    x_.bytes_out += data.size();
    const bool chunks = framing_.kind == Kind::chunked;
    const http::ChunkHeader size(data.empty() ? 1 : data.size());
    const bool chunk = chunks && !data.empty();
    std::string end;
    if (chunks && last) append_end(end);
    if (!chunks && data.size() <= kCopiedBytesMax && !head_.empty()) {
      head_.append(data);
      data = {};
    }
    const iovec parts[] = {buffer(head_), buffer(chunk ? size.view() : std::string_view()), buffer(data),
                           buffer(chunk ? http::kChunkEnd : std::string_view()), buffer(end)};
    const auto written =
        co_await x_.client.stream.write_all(parts, x_.on.loop.now() + x_.config->limits.client_idle);
    head_.clear();
    co_return written.has_value();
  }

  void append_end(std::string& end) {
    http::Trailers trailers;
    for (const auto& field : reader_.body().trailers()) {
      if (http::may_forward_trailer(field.first))
        trailers.push_back(field);
      else if (http::field_id(field.first) == http::FieldId::stateway)
        x_.on.counters.patches_ignored.fetch_add(1, std::memory_order_relaxed);
    }
    http::append_last_chunk(end, trailers);
  }

  Exchange& x_;
  wire::Reader& reader_;
  http::Framing framing_;
  std::string head_;  // until it was sent
};

}  // namespace

io::Task<void> respond(Exchange& x) {
  x.answering = true;
  x.status = x.answer->head.status;
  const http::Framing framing = client_framing(x);
  const bool tunnel = x.status == 101;
  const bool keep = !tunnel && framing.kind != Kind::until_close && may_keep_alive(x);
  std::string head;
  head.reserve(512);
  append_answer_head(head, x, framing, keep);
  if (tunnel) {
    x.close = true;
    co_await run_tunnel(x, std::move(head));
    co_return;
  }
  BodyCopy copy(x, framing, std::move(head));
  const bool whole = co_await copy.run();
  x.close = !keep || !whole;
  x.broken_off = !whole;
  if (whole) x.answer->finish();
}

io::Task<void> respond_own(Exchange& x, OwnResponse response) {
  x.answering = true;
  x.status = response.status;
  if (response.status == 0) {
    x.close = true;
    co_return;
  }
  discard_buffered_body(x);
  const bool keep = may_keep_alive(x);
  const bool is_head = x.request.method == http::Method::head;
  std::string out;
  append_own_head(out, x, response, keep);
  if (!is_head) out.append(response.body);
  x.bytes_out = is_head ? 0 : response.body.size();
  const auto written =
      co_await x.client.stream.write_all(out, x.on.loop.now() + x.config->limits.client_idle);
  x.close = !keep || !written;
}

OwnResponse problem_response(const Exchange& x, const Error& error) {
  const ProblemRow& row = problem_row(error.code);
  OwnResponse out;
  out.status = row.status;
  if (row.status == 0) return out;
  out.fields.emplace_back("Content-Type", http::kProblemContentType);
  if (row.retry_after) out.fields.emplace_back("Retry-After", "1");
  out.body =
      http::problem_json({.code = code_name(error.code),
                          .title = row.title,
                          .status = row.status,
                          .detail = row.shows_context ? std::string_view(error.context) : std::string_view(),
                          .instance = x.id});
  return out;
}

}  // namespace stateway::gateway
