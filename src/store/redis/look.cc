// What the servers are like, as far as it matters: how durable commits are there, whether sessions are safe
// from eviction, and whether their clocks are ours.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/redis/facts.h"
#include "store/redis/part.h"

namespace stateway::store::redis {
namespace {

std::string_view name_of(Durability durability) {
  switch (durability) {
    case Durability::sync:
      return "sync";
    case Durability::os:
      return "os";
    case Durability::memory:
      return "memory";
  }
  return "memory";
}

/// What all of the servers do.
struct Given {
  Durability durability = Durability::memory;
  bool waits = false;  // WAITAOF is what makes it sync
  std::string why;     // it is not more
};

/// "appendfsync", "always", "no-appendfsync-on-rewrite", "no": whether every commit is on disk when it is
/// answered.
bool syncs_always(const Reply& settings) {
  bool always = false, pauses = false;
  for (std::size_t i = 0; i + 1 < settings.elements.size(); i += 2) {
    const std::string& name = settings.elements[i].text;
    const std::string& value = settings.elements[i + 1].text;
    if (name == "appendfsync") always = value == "always";
    if (name == "no-appendfsync-on-rewrite") pauses = value == "yes";
  }
  return always && !pauses;
}

/// With commands that a user may be forbidden: then nothing is promised.
io::Task<Result<void>> ask_syncs(Router& router, std::vector<std::string> keys, TimePoint deadline,
                                 Given& given) {
  bool waits = true, always = true;
  for (const std::string& key : keys) {
    Request probe{.key = key, .command = format_command({"WAITAOF", "0", "0", "1"}), .waits = true};
    const auto probed = co_await router.ask(std::move(probe), deadline);
    if (!probed) co_return std::unexpected<Error>(probed.error());
    Request question{.key = key, .command = format_command({"CONFIG", "GET", "*appendfsync*"})};
    const auto settings = co_await router.ask(std::move(question), deadline);
    if (!settings) co_return std::unexpected<Error>(settings.error());
    waits = waits && !probed->reply.is_error();
    always = always && syncs_always(settings->reply);
    if (waits || always) continue;
    given.why = settings->reply.is_error()
                    ? "it does not tell appendfsync, and has no WAITAOF (Redis 7.2)"
                    : "appendfsync is not always, or no-appendfsync-on-rewrite is yes, and it has no WAITAOF "
                      "(Redis 7.2)";
    co_return Result<void>();
  }
  given.durability = Durability::sync;
  given.waits = !always;
  co_return Result<void>();
}

io::Task<Result<Given>> ask_given(Router& router, std::vector<std::string> keys, Durability asked,
                                  TimePoint deadline) {
  Given given{.durability = Durability::os, .waits = false, .why = {}};
  for (const std::string& key : keys) {
    const auto info = co_await router.ask({.key = key, .command = format_command({"INFO"})}, deadline);
    if (!info) co_return std::unexpected<Error>(info.error());
    const auto facts = parse_info(info->reply.text);
    if (!facts) co_return std::unexpected<Error>(facts.error());
    if (auto kept = check_eviction(*facts); !kept) {
      log::warn("store: sessions may be lost", {{"why", kept.error().context}});
      co_return Given{.why = std::move(kept).error().context};
    }
    if (!facts->append_only) co_return Given{.why = "appendonly is off"};
  }
  if (asked != Durability::sync || keys.empty()) co_return given;
  if (auto found = co_await ask_syncs(router, std::move(keys), deadline, given); !found)
    co_return pass_on(std::move(found));
  co_return given;
}

/// Milliseconds since 1970 of TIME's answer: seconds, microseconds. nullopt: it may not be asked.
std::optional<WallMillis> time_of(const Reply& reply) {
  if (reply.elements.size() != 2) return std::nullopt;
  const auto seconds = parse_decimal(reply.elements[0].text);
  const auto micros = parse_decimal(reply.elements[1].text);
  if (!seconds || !micros) return std::nullopt;
  return static_cast<WallMillis>(*seconds * 1000 + *micros / 1000);
}

}  // namespace

/// Finds out what the servers give, unless that is known. Others than before may give something else, and
/// what they are told while they run (CONFIG SET) shows `again`.
io::Task<Result<void>> RedisStore::find_durability(Part& part, bool again) {
  const TimePoint deadline = part.deadline(timeout_);
  if (auto ready = co_await part.router->ready(deadline); !ready) co_return ready;
  const std::uint64_t epoch = topology_->epoch();
  if (known_ && known_epoch_ == epoch && !again) co_return Result<void>();
  const auto given = co_await ask_given(*part.router, topology_->probes(), asked_, deadline);
  if (!given) co_return std::unexpected<Error>(given.error());
  on_disk_ = given->waits;
  const Durability effective = std::max(given->durability, asked_);
  const bool told = known_ && effective_ == effective;
  if (effective > asked_ && !told) {
    log::warn("store: commits survive less than [store] durability asks for",
              {{"durability", name_of(asked_)}, {"effective", name_of(effective)}, {"why", given->why}});
  }
  effective_ = effective;
  known_epoch_ = epoch;
  known_ = true;
  co_return Result<void>();
}

std::string_view RedisStore::durability() const { return known_ ? name_of(effective_) : std::string_view(); }

/// Whether our clock is that of the servers, as far as one of them tells.
io::Task<Result<bool>> RedisStore::clocks_agree(Part& part) {
  const std::vector<std::string> probes = topology_->probes();
  if (clock_margin_ == 0s || probes.empty()) co_return true;
  const Request question{.key = probes.front(), .command = format_command({"TIME"})};
  const auto answer = co_await part.router->ask(question, part.deadline(timeout_));
  if (!answer) co_return std::unexpected<Error>(answer.error());
  const auto there = time_of(answer->reply);
  if (!there) co_return true;
  const WallMillis ahead = clock_.now() - *there;
  const bool agree = std::chrono::milliseconds(std::abs(ahead)) <= clock_margin_;
  if (agree == !clocks_apart_.exchange(!agree)) co_return agree;
  if (agree) {
    log::info("store: the clocks agree again");
  } else {
    log::warn("store: this gateway's clock is not that of the server: it removes no expired sessions",
              {{"seconds_ahead", ahead / 1000}});
  }
  co_return agree;
}

}  // namespace stateway::store::redis
