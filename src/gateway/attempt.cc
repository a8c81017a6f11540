#include "gateway/attempt.h"

#include "gateway/body_pump.h"
#include "gateway/on_loop.h"
#include "gateway/request_head.h"
#include "gateway/response_head.h"

namespace stateway::gateway {

namespace {

using Kind = http::Framing::Kind;

// Each starts the wait anew; a service that only ever sends these must not hold its client for ever.
constexpr int kInterimAnswersMax = 100;

bool expects_continue(const Exchange& x) {
  return x.request.fields.has(http::FieldId::expect) && x.request.minor >= 1 && !x.continued;
}

AttemptFailure client_failure(Error error) {
  return {.error = std::move(error), .progress = Progress::sent, .by_client = true};
}

// The head, and with it whatever of the body is there already.
io::Task<std::optional<AttemptFailure>> send_request(Exchange& x, Answer& answer) {
  const bool has_body = x.framing.kind != Kind::none;
  // A body that is here whole goes out with its length, unless it has trailers.
  const bool whole = has_body && x.held.complete && x.client.reader.body().trailers().empty();
  http::Framing framing = x.framing;
  if (whole) framing = {Kind::length, x.held.bytes.size()};

  std::string head;
  head.reserve(1024);
  const bool expect = has_body && !whole && x.held.bytes.empty() && expects_continue(x);
  const upstream::ServiceOptions& service = x.service_options();
  const bool has_url = x.session && x.session->kind->has_document();
  append_request_head(head, x, service, framing, expect, has_url ? answer.session_url.url() : std::string(),
                      answer.connection->token());

  io::Stream& stream = answer.connection->stream();
  const std::string_view body = whole ? std::string_view(x.held.bytes) : std::string_view();
  const iovec parts[] = {{head.data(), head.size()}, {const_cast<char*>(body.data()), body.size()}};
  const bool sent_before = std::exchange(x.sent, true);
  const auto written = co_await stream.write_all(parts, x.on.loop.now() + service.timeout.response);
  if (!written && written.error().retry == Retry::always) {
    x.sent = sent_before;
    co_return AttemptFailure{
        .error = {Code::upstream_closed, Side::upstream, Retry::always, written.error().context}};
  }
  if (!written && written.error().code == Code::timeout)
    co_return AttemptFailure{
        .error = {Code::response_timeout, Side::upstream, Retry::never, "the request was not taken"},
        .progress = Progress::sent,
        .timed_out = true};
  // After another failure the instance may still have said something: the answer is looked for all the same.
  if (has_body && !whole && written) {
    answer.pump = std::make_unique<BodyPump>(x, stream, framing, service.timeout.idle);
    answer.pump->start();
  }
  co_return std::nullopt;
}

// Waits for the first octet of an answer. The time-out runs from the end of the request's body.
io::Task<Result<void>> wait_for_answer(Exchange& x, Answer& answer, Duration timeout) {
  io::Stream& stream = answer.connection->stream();
  TimePoint deadline = x.on.loop.now() + timeout;
  while (answer.connection->reader().empty()) {
    auto readable = co_await stream.readable(deadline);
    if (readable) co_return readable;
    const BodyPump* pump = answer.pump.get();
    if (pump == nullptr || (pump->ended() && !pump->done())) co_return readable;
    const TimePoint due = pump->done() ? pump->done_at() + timeout : x.on.loop.now() + timeout;
    if (due <= x.on.loop.now()) co_return readable;
    deadline = due;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> pass_on_interim(Exchange& x, Answer& answer) {
  if (x.request.minor >= 1) {
    x.continued = x.continued || answer.head.status == 100;
    std::string head;
    append_interim_head(head, x, answer.head);
    // A client that does not take it gets nothing more: behind a part of this head the final one would be
    // read as its rest. The exchange goes on where it must (Exchange::may_be_abandoned).
    const auto taken =
        co_await x.client.stream.write_all(head, x.on.loop.now() + x.config->limits.client_idle);
    if (!taken) x.client.stream.abort();
  }
  wire::Reader& reader = answer.connection->reader();
  reader.begin_body({});
  auto none = reader.next_buffered();
  reader.finish_message();
  if (!none) co_return pass_on(std::move(none));
  co_return Result<void>{};
}

AttemptFailure no_answer(const Answer& answer, Error error) {
  if (answer.pump && answer.pump->client_error()) return client_failure(*answer.pump->client_error());
  AttemptFailure failure{.progress = Progress::sent};
  switch (error.code) {
    case Code::timeout:
      failure.timed_out = true;
      failure.error = {Code::response_timeout, Side::upstream, Retry::never, "no answer in time"};
      break;
    case Code::closed:
    case Code::io:
      failure.error = {Code::upstream_closed, Side::upstream, Retry::never, std::move(error.context)};
      break;
    default:
      failure.progress = Progress::answered;
      failure.error = {Code::bad_response, Side::upstream, Retry::never, std::move(error.context)};
      break;
  }
  return failure;
}

}  // namespace

io::Task<std::optional<AttemptFailure>> attempt(Exchange& x, Answer& answer) {
  if (auto failed = co_await send_request(x, answer)) co_return failed;
  const Duration timeout = x.service_options().timeout.response;
  for (int interim_answers = 0;; ++interim_answers) {
    if (auto waited = co_await wait_for_answer(x, answer, timeout); !waited)
      co_return no_answer(answer, std::move(waited).error());
    auto read = co_await answer.connection->reader().read_head(answer.head, x.on.loop.now() + timeout);
    if (!read) co_return no_answer(answer, std::move(read).error());
    const bool interim = answer.head.status < 200 && answer.head.status != 101;
    if (!interim) break;
    if (interim_answers == kInterimAnswersMax)
      co_return no_answer(
          answer, Error{Code::bad_response, Side::upstream, Retry::never, "interim answers without end"});
    if (auto passed = co_await pass_on_interim(x, answer); !passed)
      co_return no_answer(answer, std::move(passed).error());
  }
  if (answer.head.status == 101 && !opens_tunnel(x, answer.head))
    co_return no_answer(
        answer, Error{Code::bad_response, Side::upstream, Retry::never, "101 without a matching upgrade"});
  const auto framing = http::response_framing(answer.head, x.request.method);
  if (!framing) co_return no_answer(answer, framing.error());
  answer.framing = *framing;
  answer.connection->reader().begin_body(*framing);
  co_return std::nullopt;
}

}  // namespace stateway::gateway
