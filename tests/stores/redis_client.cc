#include "redis_client.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include "base/bytes.h"

namespace stateway::stores {
namespace {

using Reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

RedisReply from(const redisReply& reply) {
  using Kind = RedisReply::Kind;
  RedisReply out;
  switch (reply.type) {
    case REDIS_REPLY_STATUS:
      out.kind = Kind::status;
      break;
    case REDIS_REPLY_ERROR:
      out.kind = Kind::error;
      break;
    case REDIS_REPLY_STRING:
      out.kind = Kind::text;
      break;
    case REDIS_REPLY_INTEGER:
      out.kind = Kind::integer;
      out.integer = reply.integer;
      return out;
    case REDIS_REPLY_ARRAY:
      out.kind = Kind::array;
      for (std::size_t i = 0; i < reply.elements; ++i) out.items.push_back(from(*reply.element[i]));
      return out;
    default:
      return out;
  }
  out.text.assign(reply.str, reply.len);
  return out;
}

timeval as_timeval(Duration limit) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(limit).count();
  return {.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
}

std::string named(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word.substr(0, 80);
  return out;
}

}  // namespace

void RedisClient::Free::operator()(redisContext* context) const { redisFree(context); }

RedisClient::RedisClient(std::string where, std::string password, Duration limit)
    : where_(std::move(where)), password_(std::move(password)), limit_(limit) {
  signal(SIGPIPE, SIG_IGN);  // hiredis writes to servers that tests have killed
}
RedisClient::RedisClient(RedisClient&&) noexcept = default;
RedisClient& RedisClient::operator=(RedisClient&&) noexcept = default;
RedisClient::~RedisClient() = default;

void RedisClient::connect() {
  const auto colon = where_.rfind(':');
  const timeval limit = as_timeval(limit_);
  if (where_.starts_with('/')) {
    context_.reset(redisConnectUnixWithTimeout(where_.c_str(), limit));
  } else {
    const auto port = parse_decimal(where_.substr(colon + 1));
    context_.reset(
        redisConnectWithTimeout(where_.substr(0, colon).c_str(), static_cast<int>(port.value_or(0)), limit));
  }
  if (!context_ || context_->err != 0) {
    const std::string why = context_ ? context_->errstr : "out of memory";
    context_.reset();
    throw NoReply("cannot connect to " + where_ + ": " + why);
  }
  redisSetTimeout(context_.get(), limit);
  if (password_.empty()) return;
  const RedisReply reply = exchange({"AUTH", password_});
  if (!reply.failed()) return;
  context_.reset();
  throw std::runtime_error(where_ + " refused the password: " + reply.text);
}

RedisReply RedisClient::exchange(const Words& words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> lengths;
  for (const std::string& word : words) {
    starts.push_back(word.data());
    lengths.push_back(word.size());
  }
  const Reply reply(static_cast<redisReply*>(redisCommandArgv(context_.get(), static_cast<int>(words.size()),
                                                              starts.data(), lengths.data())),
                    &freeReplyObject);
  if (reply) return from(*reply);
  const std::string why = context_->errstr;
  context_.reset();
  throw NoReply("no reply of " + where_ + " to " + named(words) + ": " + why);
}

// Servers end connections of their own accord when they change roles.
bool RedisClient::is_stale() const {
  char octet;
  return recv(context_->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

RedisReply RedisClient::ask(const Words& words) {
  if (!context_ || is_stale()) connect();
  return exchange(words);
}

RedisReply RedisClient::must(const Words& words) {
  RedisReply reply = ask(words);
  if (reply.failed()) throw std::runtime_error(where_ + ": " + named(words) + ": " + reply.text);
  return reply;
}

bool RedisClient::answers() {
  try {
    return ask({"PING"}) == "PONG";
  } catch (const std::runtime_error&) {  // also when it refuses the password
    return false;
  }
}

}  // namespace stateway::stores
