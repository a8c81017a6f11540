#include "store/redis/scripts.h"

#include <utility>

#include "base/bytes.h"
#include "io/task_group.h"

namespace stateway::store::redis {
namespace {

// Revisions and gateways are 64 bits, more than Lua's numbers hold: they are compared as text. Sequences and
// times are below 2^53.
constexpr std::string_view kCommit = R"lua(
local now, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local gateway, sequence, lease, indexed = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local writes = (#ARGV - 6) / 8
local olds, there = {}, {}
for i = 1, writes do
  olds[i] = redis.call('HMGET', KEYS[i], 'rev', 'state', 'exp', 'principal', 'applied')
  there[i] = olds[i][1] and tonumber(olds[i][3]) > now
end
local applied = there[1] and olds[1][5] or ARGV[14]
local kept, count = {}, 0
if gateway ~= '0' then
  kept[1], count = gateway .. ' ' .. ARGV[4], 1
end
for g, s in string.gmatch(applied, '(%d+) (%d+)') do
  if g == gateway then
    if there[1] and tonumber(s) >= sequence then return {'REPEAT'} end
  elseif count < 16 then
    count = count + 1
    kept[count] = g .. ' ' .. s
  end
end
if lease ~= '0' and redis.call('GET', KEYS[writes + 1]) ~= lease then return {'LEASE'} end
local more, index = 0, false
for i = 1, writes do
  local at, old = 6 + (i - 1) * 8, olds[i]
  if (there[i] and old[1] or '0') ~= ARGV[at + 1] then return {'CONFLICT'} end
  if there[i] and old[2] == '2' and ARGV[at + 3] == '0' then return {'CONFLICT'} end
  if ARGV[at + 2] ~= '' then
    if ARGV[at + 3] ~= '2' then more = more + 1 end
    if not there[i] or tonumber(ARGV[at + 4]) < tonumber(old[3]) then index = true end
    if ARGV[at + 6] ~= '' and not (there[i] and old[4] == ARGV[at + 6]) then index = true end
  end
  if old[1] and old[2] ~= '2' then more = more - 1 end
end
if more > 0 and more > room then return {'FULL'} end
if index and indexed ~= '1' then return {'INDEX'} end
local result = {'OK'}
for i = 1, writes do
  local at = 6 + (i - 1) * 8
  if ARGV[at + 2] == '' then
    redis.call('DEL', KEYS[i])
  else
    redis.call('HSET', KEYS[i], 'rev', ARGV[at + 2], 'state', ARGV[at + 3], 'exp', ARGV[at + 4], 'principal',
      ARGV[at + 6], 'value', ARGV[at + 7], 'applied', i == 1 and table.concat(kept, ' ') or ARGV[at + 8])
    redis.call('PEXPIRE', KEYS[i], ARGV[at + 5])
  end
  result[i + 1] = olds[i][2] or ''
end
if lease ~= '0' then redis.call('DEL', KEYS[writes + 1]) end
return result
)lua";

constexpr std::string_view kTouch = R"lua(
local old = redis.call('HMGET', KEYS[1], 'state', 'exp')
if not old[1] or old[1] == '2' then return 0 end
local exp = tonumber(old[2])
if exp <= tonumber(ARGV[1]) or exp >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'exp', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
)lua";

constexpr std::string_view kExpire = R"lua(
local old = redis.call('HMGET', KEYS[1], 'exp', 'principal')
if not old[1] then return {} end
if tonumber(old[1]) > tonumber(ARGV[1]) then return old end
redis.call('DEL', KEYS[1])
return {'', old[2]}
)lua";

constexpr std::string_view kIndex = R"lua(
local now, exp = tonumber(ARGV[1]), tonumber(ARGV[2])
local old = redis.call('ZSCORE', KEYS[1], ARGV[3])
if old then
  old = tonumber(old)
  if old > now and old <= exp then return 0 end
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
return 1
)lua";

constexpr std::string_view kUnindex = R"lua(
local old = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) > tonumber(ARGV[1]) then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[2])
)lua";

constexpr std::string_view kTake = R"lua(
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)lua";

constexpr std::string_view kExtend = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
)lua";

constexpr std::string_view kGiveBack = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
)lua";

std::string evaluate(std::string_view verb, std::string_view script, const std::vector<std::string>& keys,
                     const std::vector<std::string>& arguments) {
  const std::string count = std::to_string(keys.size());
  std::vector<std::string_view> words{verb, script, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return format_command(words);
}

io::Task<void> keep(io::Task<Result<Answer>> task, Result<Answer>& into) { into = co_await task; }

}  // namespace

Script::Script(std::string_view lua) : source(lua), name(sha1_hex(lua)) {}

const Script& commit_script() {
  static const Script script(kCommit);
  return script;
}
const Script& touch_script() {
  static const Script script(kTouch);
  return script;
}
const Script& expire_script() {
  static const Script script(kExpire);
  return script;
}
const Script& index_script() {
  static const Script script(kIndex);
  return script;
}
const Script& unindex_script() {
  static const Script script(kUnindex);
  return script;
}
const Script& take_script() {
  static const Script script(kTake);
  return script;
}
const Script& extend_script() {
  static const Script script(kExtend);
  return script;
}
const Script& give_back_script() {
  static const Script script(kGiveBack);
  return script;
}

io::Task<Result<Answer>> run_script(Router& router, const Script& script, std::vector<std::string> keys,
                                    std::vector<std::string> arguments, TimePoint deadline, bool repeatable) {
  Request request{.key = keys.front(), .repeatable = repeatable};
  request.command = evaluate("EVALSHA", script.name, keys, arguments);
  auto answer = co_await router.ask(request, deadline);
  if (!answer || !answer->reply.is_error("NOSCRIPT")) co_return no_error(std::move(answer));
  request.command = evaluate("EVAL", script.source, keys, arguments);
  answer = co_await router.ask(std::move(request), deadline);
  co_return no_error(std::move(answer));
}

io::Task<Result<Answer>> run_command(Router& router, std::string key, std::vector<std::string> words,
                                     TimePoint deadline) {
  std::vector<std::string_view> all{words.front(), key};
  all.insert(all.end(), words.begin() + 1, words.end());
  Request request{.key = key, .command = format_command(all)};
  co_return no_error(co_await router.ask(std::move(request), deadline));
}

io::Task<std::vector<Result<Answer>>> gather(std::vector<io::Task<Result<Answer>>> tasks) {
  std::vector<Result<Answer>> results(tasks.size());
  io::TaskGroup group;
  for (std::size_t i = 0; i < tasks.size(); ++i) group.spawn(keep(std::move(tasks[i]), results[i]));
  co_await group.drained();
  co_return results;
}

Result<Answer> no_error(Result<Answer> answer) {
  if (answer && answer->reply.is_error())
    return fail(Code::store_unavailable, Side::store, "redis: " + answer->reply.text);
  return answer;
}

}  // namespace stateway::store::redis
