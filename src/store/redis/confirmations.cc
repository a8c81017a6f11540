#include "store/redis/confirmations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stateway::store::redis {
namespace {

/// A write of no meaning, as what is waited for are writes, then the waits.
Request question(const std::string& key, Confirmed asked, Duration patience) {
  const std::string limit = std::to_string(
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(patience).count()));
  const std::string mark = key.substr(0, key.find('}') + 1) + "::mark";
  Request request{.key = key, .waits = true};
  request.command = format_command({"SET", mark, "", "PX", "60000"});
  if (asked.on_disk) {
    request.command += format_command({"WAITAOF", "1", "0", limit});
    ++request.replies;
  }
  if (asked.replicas > 0) {
    request.command += format_command({"WAIT", std::to_string(asked.replicas), limit});
    ++request.replies;
  }
  return request;
}

std::unexpected<Error> not_durable(std::string why, Retry retry = Retry::never) {
  return fail(Code::not_durable, Side::store, "redis: " + std::move(why), retry);
}

Result<void> judge(const Result<Answer>& answer, std::uint64_t server, Confirmed asked) {
  if (!answer) return not_durable("no confirmation: " + answer.error().context);
  const std::vector<Reply>& replies = answer->reply.elements;
  for (const Reply& reply : replies)
    if (reply.is_error()) return not_durable(reply.text);
  // Another process knows nothing of a commit that this one did.
  if (answer->server != server)
    return not_durable("another server answers than the one that has the commit", Retry::always);
  std::size_t at = 1;
  if (asked.on_disk) {
    const bool synced =
        replies.size() > at && replies[at].elements.size() == 2 && replies[at].elements[0].integer >= 1;
    if (!synced) return not_durable("not on disk in time");
    ++at;
  }
  if (asked.replicas > 0) {
    const std::int64_t confirmed = replies.size() > at ? replies[at].integer : 0;
    if (confirmed < static_cast<std::int64_t>(asked.replicas))
      return not_durable(fmt::format("{} of {} replicas have it", confirmed, asked.replicas));
  }
  return {};
}

}  // namespace

io::Task<Result<void>> Confirmations::wait(std::size_t partition, std::string key, std::uint64_t server,
                                           Confirmed asked, TimePoint deadline) {
  const Place place{partition, server};
  Line& line = lines_[place];
  if (line.next == nullptr) line.next = std::make_shared<Round>(loop_, std::move(key));
  const std::shared_ptr<Round> round = line.next;
  round->deadline = std::max(round->deadline, deadline);
  if (!std::exchange(line.running, true)) rounds_.spawn(run(place, asked));
  if (const auto ended = co_await round->ended.wait(deadline); !ended)
    co_return not_durable("no confirmation in time");
  co_return judge(round->answer, server, asked);
}

io::Task<void> Confirmations::run(Place place, Confirmed asked) {
  Line& line = lines_[place];
  // Whatever else commits in this turn of the loop comes along; who waits for a round waits for it already.
  co_await io::SleepUntil(loop_, loop_.now());
  while (line.next != nullptr) {
    const std::shared_ptr<Round> round = std::exchange(line.next, nullptr);
    Request request = question(round->key, asked, round->deadline - loop_.now());
    round->answer = co_await router_.ask(std::move(request), round->deadline);
    round->ended.wake_all();
  }
  lines_.erase(place);
}

}  // namespace stateway::store::redis
