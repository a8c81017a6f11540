#include "wire/client.h"

#include "base/bytes.h"
#include "http/writer.h"

namespace stateway::wire {

const std::string* ClientResponse::field(std::string_view name) const {
  for (const auto& [field_name, value] : fields)
    if (equals_ignoring_case(field_name, name)) return &value;
  return nullptr;
}

Client::Client(std::unique_ptr<io::Stream> stream, Limits limits)
    : stream_(std::move(stream)), reader_(*stream_, Side::upstream, limits.head), limits_(limits) {}

TimePoint Client::until(const Patience& patience) const {
  return patience.quiet ? stream_->loop().now() + *patience.quiet : patience.deadline;
}

io::Task<Result<ClientResponse>> Client::exchange(const ClientRequest& request, TimePoint deadline) {
  return send(request, {.deadline = deadline, .quiet = {}}, nullptr);
}

io::Task<Result<ClientResponse>> Client::download(const ClientRequest& request, Duration quiet,
                                                  const Sink& into) {
  return send(request, {.deadline = {}, .quiet = quiet}, &into);
}

io::Task<Result<ClientResponse>> Client::send(const ClientRequest& request, Patience patience,
                                              const Sink* into) {
  std::string head;
  http::append_request_line(head, request.method, request.target);
  http::append_field(head, "Host", request.host);
  for (const auto& [name, value] : request.fields) http::append_field(head, name, value);
  if (!request.body.empty()) http::append_field(head, "Content-Length", request.body.size());
  http::end_head(head);

  reusable_ = false;
  sent_ = Sent::unknown;
  const iovec parts[] = {{head.data(), head.size()},
                         {const_cast<char*>(request.body.data()), request.body.size()}};
  const auto written = co_await stream_->write_all(parts, until(patience));
  // A server may answer before it has read everything, so a failed write is not yet the result.
  auto response = co_await read_response(http::method_of(request.method), patience, into);
  if (!written && !response) co_return fail(written.error().code, Side::upstream, written.error().context);
  if (!written) reusable_ = false;
  co_return response;
}

io::Task<Result<ClientResponse>> Client::read_response(http::Method method, Patience patience,
                                                       const Sink* into) {
  http::ResponseHead head;
  for (;;) {
    if (auto read = co_await reader_.read_head(head, until(patience)); !read)
      co_return pass_on(std::move(read));
    if (head.status >= 200 || head.status == 101) break;
    reader_.begin_body({});
    (void)reader_.next_buffered();
    reader_.finish_message();
  }
  const auto framing = http::response_framing(head, method);
  if (!framing) co_return fail(framing.error().code, Side::upstream, framing.error().context);
  ClientResponse out;
  out.status = head.status;
  for (const http::Field& f : head.fields) out.fields.emplace_back(f.name, f.value);
  reader_.begin_body(*framing);
  const bool streams = into != nullptr && out.status >= 200 && out.status <= 299;
  for (;;) {
    auto piece = co_await reader_.next(until(patience));
    if (!piece) co_return pass_on(std::move(piece));
    if (streams) {
      if (auto taken = (*into)(piece->data); !taken) co_return pass_on(std::move(taken));
      if (piece->done) break;
      continue;
    }
    if (out.body.size() + piece->data.size() > limits_.body_bytes_max)
      co_return fail(Code::body_too_large, Side::upstream, "the answer is larger than this client takes");
    out.body.append(piece->data);
    if (piece->done) break;
  }
  reusable_ =
      http::keep_alive(head) && framing->kind != http::Framing::Kind::until_close && head.status != 101;
  reader_.finish_message();
  co_return out;
}

}  // namespace stateway::wire
