// What bench/store-table compares with: the cart of examples/cart on the same HTTP server, with sessions of
// its own in Redis, as a service without Stateway has them. A random id in a cookie names a JSON document,
// read (GET) for each request and written back with its expiry (SETEX) when it changed. Two requests of one
// session at once may lose a change; the benchmark never sends such.
//
// REDIS_PORT says where Redis is. REDIS_CLIENT=blocking waits for each answer, as hiredis does in most
// programs; otherwise its asynchronous interface is used, so that commands of requests beside each other go
// out together.
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <charconv>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "base/random.h"
#include "examples/cart/items.h"
#include "examples/cart/serve.h"
#include "http/cookies.h"

namespace {

using namespace stateway;
using example::kItems;
namespace json = boost::json;

constexpr std::string_view kCookie = "sid";
constexpr std::string_view kLifetimeSeconds = "86400";

[[noreturn]] void end(std::string_view why) {
  std::cerr << "redis_cart: " << why << '\n';
  std::_Exit(1);
}

/// One command's answer: a string, or nothing (no such key, or just "OK").
using Answer = std::optional<std::string>;
using Words = std::vector<std::string_view>;

Answer read_reply(const redisReply* reply) {
  if (reply == nullptr) end("Redis has gone");
  if (reply->type == REDIS_REPLY_ERROR) end(reply->str);
  if (reply->type != REDIS_REPLY_STRING) return std::nullopt;
  return std::string(reply->str, static_cast<std::size_t>(reply->len));
}

struct Arguments {
  explicit Arguments(const Words& words) {
    for (const std::string_view word : words) {
      texts.push_back(word.data());
      lengths.push_back(word.size());
    }
  }
  int count() const { return static_cast<int>(texts.size()); }
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
};

/// hiredis's asynchronous client on our loop. What a turn of the loop asks for is written at its end, at
/// once.
class Redis final : private io::Watch {
 public:
  Redis(io::EpollLoop& loop, int port) : loop_(loop), context_(redisAsyncConnect("127.0.0.1", port)) {
    if (context_ == nullptr || context_->err != 0) end("no connection to Redis");
    context_->ev.data = this;
    context_->ev.addWrite = [](void* self) { static_cast<Redis*>(self)->want_write(); };
    writes_->redis = this;
    if (!loop.add(context_->c.fd, EPOLLIN | EPOLLOUT, *this)) end("no connection to Redis");
  }
  ~Redis() {
    loop_.remove(context_->c.fd, *this);
    writes_->redis = nullptr;
    context_->ev.addWrite = nullptr;
    redisAsyncFree(context_);
  }

  class Command;
  Command command(const Words& words);

 private:
  struct Writes final : io::TurnEnd {
    void on_turn_end() override {
      if (redis != nullptr) redis->write();
    }
    Redis* redis = nullptr;
  };
  void want_write() { loop_.at_turn_end(writes_); }
  void write() {
    if (!connected_) return;
    redisAsyncHandleWrite(context_);
    const bool more = sdslen(context_->c.obuf) > 0;
    if (more != waits_to_write_) loop_.modify(context_->c.fd, more ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
    waits_to_write_ = more;
  }
  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) {
      connected_ = true;
      write();
    }
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) redisAsyncHandleRead(context_);
  }

  io::EpollLoop& loop_;
  redisAsyncContext* context_;
  std::shared_ptr<Writes> writes_ = std::make_shared<Writes>();
  bool connected_ = false;
  bool waits_to_write_ = true;
};

/// Awaited; its request may be given up meanwhile.
class Redis::Command {
 public:
  Command(redisAsyncContext* context, const Words& words) {
    const Arguments arguments(words);
    auto* shared = new std::shared_ptr<State>(state_);
    redisAsyncCommandArgv(context, &Command::done, shared, arguments.count(),
                          const_cast<const char**>(arguments.texts.data()), arguments.lengths.data());
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() { state_->waiting = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) { state_->waiting = h; }
  Answer await_resume() { return std::move(state_->answer); }

 private:
  struct State {
    Answer answer;
    std::coroutine_handle<> waiting;
  };
  static void done(redisAsyncContext*, void* reply, void* data) {
    const std::unique_ptr<std::shared_ptr<State>> shared(static_cast<std::shared_ptr<State>*>(data));
    State& state = **shared;
    if (!state.waiting) return;
    state.answer = read_reply(static_cast<const redisReply*>(reply));
    std::exchange(state.waiting, nullptr).resume();
  }
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

Redis::Command Redis::command(const Words& words) { return Command(context_, words); }

/// Redis by either of its two interfaces.
class Documents {
 public:
  Documents(io::EpollLoop& loop, int port, bool blocking) {
    if (!blocking) {
      redis_ = std::make_unique<Redis>(loop, port);
      return;
    }
    blocking_ = redisConnect("127.0.0.1", port);
    if (blocking_ == nullptr || blocking_->err != 0) end("no connection to Redis");
  }
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;
  ~Documents() {
    if (blocking_ != nullptr) redisFree(blocking_);
  }

  io::Task<Answer> ask(Words words) {
    if (redis_ != nullptr) co_return co_await redis_->command(words);
    const Arguments arguments(words);
    auto* reply = static_cast<redisReply*>(redisCommandArgv(blocking_, arguments.count(),
                                                            const_cast<const char**>(arguments.texts.data()),
                                                            arguments.lengths.data()));
    Answer out = read_reply(reply);
    freeReplyObject(reply);
    co_return out;
  }

 private:
  std::unique_ptr<Redis> redis_;
  redisContext* blocking_ = nullptr;
};

/// The session of one request.
class Session {
 public:
  explicit Session(json::object document) : document_(std::move(document)) {}
  const json::value* get(std::string_view name) const { return document_.if_contains(name); }
  json::object& edit() {
    changed_ = true;
    return document_;
  }
  bool changed() const { return changed_; }
  std::string text() const { return json::serialize(document_); }

 private:
  json::object document_;
  bool changed_ = false;
};

class Cart final : public wire::Handler {
 public:
  Cart(io::EpollLoop& loop, int port, bool blocking) : documents_(loop, port, blocking) {}

  io::Task<wire::Response> handle(const wire::Request& request) override {
    if (request.target.path() == "/healthz") co_return example::answer(200, "text/plain", "ok\n");
    std::string id = id_of(request);
    json::object document;
    const bool is_new = id.empty();
    if (is_new) {
      id = new_id();
    } else {
      const std::string key = key_of(id);
      if (const Answer found = co_await documents_.ask({"GET", key})) document = parse(*found);
    }
    Session session(std::move(document));
    wire::Response response = answer_to(request, session);
    if (session.changed()) {
      const std::string key = key_of(id), text = session.text();
      co_await documents_.ask({"SETEX", key, kLifetimeSeconds, text});
    }
    if (is_new) response.fields.emplace_back("Set-Cookie", http::set_cookie({.name = kCookie, .value = id}));
    co_return response;
  }

 private:
  static wire::Response answer_to(const wire::Request& request, Session& session) {
    const std::string_view path = request.target.path();
    if (path == "/api/cart") return example::answer(200, {{"items", example::items_of(session)}});
    if (path == kItems && request.head.method == http::Method::post)
      return example::add_item(request, session);
    return wire::problem_response(404, "not-found", "", "no such resource");
  }
  static std::string id_of(const wire::Request& request) {
    for (const std::string_view value : http::find_all(request.head.fields, kCookie))
      if (value.size() == 22 && base64url_decode(value)) return std::string(value);
    return {};
  }
  static std::string key_of(std::string_view id) { return std::string("session:").append(id); }
  std::string new_id() {
    std::array<std::byte, 16> octets;
    random_.fill(octets);
    return base64url_encode(octets);
  }
  static json::object parse(std::string_view text) {
    json::error_code wrong;
    json::value value = json::parse(text, wrong);
    return value.is_object() ? std::move(value.get_object()) : json::object();
  }

  Documents documents_;
  SystemRandom random_;
};

}  // namespace

int main() {
  const int port = static_cast<int>(parse_decimal(example::environment("REDIS_PORT")).value_or(6379));
  const bool blocking = example::environment("REDIS_CLIENT") == "blocking";
  return example::run_service("redis_cart", [port, blocking](io::EpollLoop& loop, io::Network&) {
    return std::make_unique<Cart>(loop, port, blocking);
  });
}
