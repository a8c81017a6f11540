#include "gateway/body_pump.h"

#include <algorithm>

#include "gateway/on_loop.h"
#include "http/forwarding.h"
#include "http/writer.h"

namespace stateway::gateway {
namespace {

Result<void> count_body(Exchange& x, std::size_t octets) {
  x.body_bytes += octets;
  const std::uint64_t most = x.route->max_body_bytes;
  if (most != 0 && x.body_bytes > most)
    return fail(Code::body_too_large, Side::client,
                "this route takes at most " + std::to_string(most) + " octets");
  return {};
}

// Once some of the body has gone out, only these may be sent a second time (retry.h, and overlap = "again").
bool may_go_again(const Exchange& x) {
  return x.safe() || x.use->reexecute || x.use->overlap == session::Overlap::again;
}

void hold(Exchange& x, std::string_view data) {
  HeldBody& held = x.held;
  if (held.gone) return;
  if (held.bytes.size() + data.size() > HeldBody::kBytesMax || !may_go_again(x)) {
    held.gone = true;
    held.bytes = {};
    return;
  }
  if (x.framing.kind == http::Framing::Kind::length)
    held.bytes.reserve(std::min<std::uint64_t>(x.framing.length, HeldBody::kBytesMax));
  held.bytes.append(data);
}

}  // namespace

Result<bool> hold_buffered_body(Exchange& x) {
  while (!x.held.complete) {
    // Only what surely fits: what is taken here is sent from x.held.
    if (x.held.bytes.size() + x.client.reader.buffered() > HeldBody::kBytesMax) return false;
    auto piece = x.client.reader.next_buffered();
    if (!piece) return pass_on(std::move(piece));
    if (auto counted = count_body(x, piece->data.size()); !counted) return pass_on(std::move(counted));
    x.held.bytes.append(piece->data);
    x.held.complete = piece->done;
    if (!piece->done && piece->data.empty()) return false;
  }
  x.body_read = true;
  return true;
}

io::Task<Result<void>> BodyPump::send(std::string_view data) {
  const TimePoint deadline = x_.on.loop.now() + write_timeout_;
  if (data.empty()) co_return Result<void>{};
  x_.sent = true;
  if (framing_.kind == http::Framing::Kind::length) co_return co_await to_.write_all(data, deadline);
  const http::ChunkHeader size(data.size());
  const iovec parts[] = {{const_cast<char*>(size.view().data()), size.view().size()},
                         {const_cast<char*>(data.data()), data.size()},
                         {const_cast<char*>(http::kChunkEnd.data()), http::kChunkEnd.size()}};
  co_return co_await to_.write_all(parts, deadline);
}

io::Task<Result<void>> BodyPump::send_end() {
  if (framing_.kind == http::Framing::Kind::length) co_return Result<void>{};
  http::Trailers trailers;
  for (const auto& field : x_.client.reader.body().trailers())
    if (http::may_forward_trailer(field.first)) trailers.push_back(field);
  std::string end;
  http::append_last_chunk(end, trailers);
  co_return co_await to_.write_all(end, x_.on.loop.now() + write_timeout_);
}

io::Task<void> BodyPump::run() {
  if (const auto sent = co_await send(x_.held.bytes); !sent) co_return;
  while (!x_.held.complete) {
    const TimePoint deadline = x_.on.loop.now() + x_.config->limits.client_idle;
    auto piece = co_await x_.client.reader.next(deadline);
    Result<void> counted;
    if (piece) counted = count_body(x_, piece->data.size());
    if (!piece || !counted) {
      client_error_ = piece ? counted.error() : piece.error();
      if (client_error_->code == Code::timeout) client_error_->code = Code::body_timeout;
      to_.abort();
      co_return;
    }
    hold(x_, piece->data);
    const bool last = piece->done;
    // The instance may have answered and stopped reading: what it said is read elsewhere.
    if (const auto sent = co_await send(piece->data); !sent) co_return;
    if (last) break;
  }
  if (!x_.held.gone) x_.held.complete = true;
  x_.body_read = true;
  if (const auto sent = co_await send_end(); !sent) co_return;
  done_at_ = x_.on.loop.now();
}

}  // namespace stateway::gateway
