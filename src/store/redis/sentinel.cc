#include "store/redis/sentinel.h"

#include <algorithm>
#include <utility>

#include "store/redis/slots.h"

namespace stateway::store::redis {
namespace {

std::unexpected<Error> unknown(std::string why) {
  return fail(Code::connect_failed, Side::upstream, std::move(why), Retry::always);
}

/// Sends one command and reads its reply.
io::Task<Result<Reply>> exchange(io::Stream& stream, std::string command, TimePoint deadline) {
  if (const auto written = co_await stream.write_all(command, deadline); !written)
    co_return std::unexpected<Error>(written.error());
  ReplyReader reader;
  std::string buffer(4096, '\0');
  for (;;) {
    const auto got = co_await stream.read_some(buffer, deadline);
    if (!got) co_return std::unexpected<Error>(got.error());
    if (*got == 0) co_return fail(Code::closed, Side::store, "it ended the connection");
    reader.feed(std::string_view(buffer).substr(0, *got));
    auto reply = reader.next();
    if (!reply) co_return pass_on(std::move(reply));
    if (*reply) co_return std::move(**reply);
  }
}

}  // namespace

SentinelDialer::SentinelDialer(io::Loop& loop, io::Network& network, std::vector<Address> sentinels,
                               std::string master, const Access& access)
    : loop_(loop),
      network_(network),
      sentinels_(std::move(sentinels)),
      master_(std::move(master)),
      access_(access) {}

io::Task<Result<std::unique_ptr<io::Stream>>> SentinelDialer::dial(TimePoint deadline) {
  // Who named a server that could not be used is asked last.
  if (!std::exchange(proved_, false)) std::ranges::rotate(sentinels_, sentinels_.begin() + 1);
  std::string why;
  const std::vector<Address> all = sentinels_;  // other connections dial at the same time
  for (const Address& sentinel : all) {
    const auto master = co_await ask(sentinel, std::min(deadline, loop_.now() + kPatience));
    if (!master) {
      why += (why.empty() ? "" : "; ") + ("sentinel " + to_string(sentinel)) + ": " + master.error().context;
      continue;
    }
    const auto at = std::ranges::find(sentinels_, sentinel);
    std::rotate(sentinels_.begin(), at, at + 1);
    AddressDialer to_master(network_, *master, access_.tls);
    co_return co_await to_master.dial(deadline);
  }
  co_return unknown(why);
}

io::Task<Result<Address>> SentinelDialer::ask(Address sentinel, TimePoint deadline) {
  AddressDialer dialer(network_, sentinel, access_.tls);
  auto stream = co_await dialer.dial(deadline);
  if (!stream) co_return pass_on(std::move(stream));
  const std::string question = format_command({"SENTINEL", "get-master-addr-by-name", master_});
  auto reply = co_await exchange(**stream, question, deadline);
  if (reply && reply->is_error("NOAUTH") && !access_.password.empty()) {
    auto let_in = co_await exchange(**stream, format_command({"AUTH", access_.password.reveal()}), deadline);
    if (!let_in) co_return pass_on(std::move(let_in));
    reply = co_await exchange(**stream, question, deadline);
  }
  if (!reply) co_return pass_on(std::move(reply));
  if (reply->is_error()) co_return unknown(reply->text);
  if (reply->is_nil()) co_return unknown("it knows no master " + master_);
  if (reply->elements.size() == 2)
    if (const auto address = parse_node_address(reply->elements[0].text, reply->elements[1].text, sentinel))
      co_return *address;
  co_return unknown("an answer that sentinels do not give");
}

}  // namespace stateway::store::redis
