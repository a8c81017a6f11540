#include "session/key_ring.h"

#include "base/log.h"
#include "session/key_file.h"

namespace stateway::session {

KeyRing::KeyRing(const WallClock& clock, Random& random)
    : state_(std::make_shared<State>(clock)), random_(random) {}

Result<void> KeyRing::use(std::string path) {
  auto keys = read_or_make_key_file(path, state_->clock, random_);
  if (!keys) return pass_on(std::move(keys));
  {
    const std::lock_guard lock(state_->mutex);
    state_->path = std::move(path);
    state_->keys = std::make_shared<const KeySet>(std::move(*keys));
    state_->read_at = state_->clock.now();
    state_->readable = true;
  }
  if (!worker_) worker_.emplace("keys");
  return {};
}

std::shared_ptr<const KeySet> KeyRing::keys() const {
  const std::lock_guard lock(state_->mutex);
  return state_->keys;
}

std::string KeyRing::seal(std::string_view cookie_name, std::string_view contents) {
  const std::shared_ptr<const KeySet> now = keys();
  return session::seal(now->sealing(state_->clock.now()), cookie_name, contents, random_);
}

io::Task<Result<std::optional<std::string>>> KeyRing::open(io::Loop& loop, std::string_view cookie_name,
                                                           std::string_view text,
                                                           std::chrono::milliseconds lifetime) {
  const std::optional<KeyId> id = sealing_key_id(text);
  std::shared_ptr<const KeySet> now = keys();
  if (!id || !now) co_return std::optional<std::string>();
  if (now->find(*id) == nullptr) {
    if (auto refreshed = co_await refresh(loop); !refreshed) co_return pass_on(std::move(refreshed));
    now = keys();
  }
  const SealKey* key = now->find(*id);
  if (key == nullptr || now->retired(*key, state_->clock.now(), lifetime))
    co_return std::optional<std::string>();
  co_return unseal(*key, cookie_name, text);
}

// Whoever comes while the file is being read waits behind that reading, and takes its result. A key seals
// only when it has been in the file for a minute, so a reading of this second knows every key in use.
io::Task<Result<void>> KeyRing::refresh(io::Loop& loop) {
  if (state_->is_fresh()) co_return state_->outcome();
  auto read = [state = state_] { return state->is_fresh() ? state->outcome() : state->read(); };
  auto call = worker_->run(loop, std::move(read));
  co_return co_await call;
}

bool KeyRing::State::is_fresh() {
  const std::lock_guard lock(mutex);
  const WallMillis since = clock.now() - read_at;
  return since >= 0 && since < kReadEvery.count();  // below 0: the clock was set back
}

Result<void> KeyRing::State::outcome() {
  const std::lock_guard lock(mutex);
  if (readable) return {};
  return fail(Code::store_unavailable, Side::store, "the key file cannot be read", Retry::always);
}

Result<void> KeyRing::State::read() {
  std::string from;
  {
    const std::lock_guard lock(mutex);
    from = path;
  }
  auto latest = read_key_file(from);
  if (!latest)
    log::error("the key file cannot be read; the keys of before stay", {{"reason", latest.error().context}});
  {
    const std::lock_guard lock(mutex);
    read_at = clock.now();
    readable = latest.has_value();
    if (latest) keys = std::make_shared<const KeySet>(std::move(*latest));
  }
  return outcome();
}

io::Task<Result<Rotation>> KeyRing::rotate(io::Loop& loop, std::chrono::milliseconds lifetime) {
  if (!in_use()) co_return fail(Code::not_found, Side::self, "no session needs keys: there is no key file");
  auto rotate = [state = state_, &random = random_, lifetime] { return state->rotate(lifetime, random); };
  auto call = worker_->run(loop, std::move(rotate));
  co_return co_await call;
}

Result<Rotation> KeyRing::State::rotate(std::chrono::milliseconds lifetime, Random& random) {
  std::string at;
  {
    const std::lock_guard lock(mutex);
    at = path;
  }
  auto rotation = rotate_key_file(at, clock.now(), lifetime, random);
  if (!rotation) return rotation;
  const std::lock_guard lock(mutex);
  read_at = clock.now();
  readable = true;
  keys = std::make_shared<const KeySet>(rotation->keys);
  return rotation;
}

}  // namespace stateway::session
