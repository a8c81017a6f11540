#include "session/key_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"

namespace stateway::session {
namespace {

constexpr std::string_view kFirstLine = "stateway-keys 1";

std::string_view take_until(std::string_view& rest, char end) {
  const std::string_view out = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(out.size() + 1, rest.size()));
  return out;
}

std::optional<KeyId> parse_id(std::string_view text) {
  KeyId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc() || end != text.data() + text.size() || fmt::format("{:08x}", id) != text)
    return std::nullopt;
  return id;
}

// "<id> <created> <key>", each in the one spelling that `text` writes.
std::optional<SealKey> parse_key(std::string_view line) {
  const auto id = parse_id(take_until(line, ' '));
  const std::string_view created_text = take_until(line, ' ');
  const auto created = parse_decimal(created_text);
  auto raw = base64url_decode(line);
  if (!id || !created || *created > static_cast<std::uint64_t>(INT64_MAX) || !raw ||
      raw->size() != SealKey::kBytes || fmt::format("{}", *created) != created_text)
    return std::nullopt;
  return SealKey{*id, static_cast<WallMillis>(*created), Secret(std::move(*raw))};
}

SealKey make_key(WallMillis now, Random& random) {
  SealKey key;
  random.fill(std::as_writable_bytes(std::span(&key.id, 1)));
  key.created = now;
  std::string raw(SealKey::kBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(raw)));
  key.key = Secret(std::move(raw));
  return key;
}

std::unexpected<Error> wrong(std::size_t line, std::string_view why) {
  return fail(Code::invalid_argument, Side::self, fmt::format("line {}: {}", line, why));
}

}  // namespace

std::string_view key_use_name(KeyUse::What what) {
  switch (what) {
    case KeyUse::What::waits:
      return "waits";
    case KeyUse::What::seals:
      return "seals";
    case KeyUse::What::opens:
      return "opens";
    case KeyUse::What::retired:
      return "retired";
  }
  CHECK(false);
}

KeySet::KeySet(std::vector<SealKey> keys) : keys_(std::move(keys)) {
  std::ranges::stable_sort(keys_, {}, &SealKey::created);
}

Result<KeySet> KeySet::parse(std::string_view text) {
  if (take_until(text, '\n') != kFirstLine)
    return wrong(1, fmt::format("the file does not begin with \"{}\"", kFirstLine));
  std::vector<SealKey> keys;
  for (std::size_t number = 2; !text.empty(); ++number) {
    if (text.find('\n') == std::string_view::npos) return wrong(number, "the line is cut off");
    auto key = parse_key(take_until(text, '\n'));
    if (!key) return wrong(number, "this is no key: an id, a time and 32 octets are expected");
    if (std::ranges::find(keys, key->id, &SealKey::id) != keys.end())
      return wrong(number, "a key with this id stands above");
    if (keys.size() == kKeysMax) return wrong(number, fmt::format("there are more than {} keys", kKeysMax));
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return wrong(2, "there is no key");
  return KeySet(std::move(keys));
}

std::string KeySet::text() const {
  std::string out(kFirstLine);
  out += '\n';
  for (const SealKey& key : keys_)
    out += fmt::format("{:08x} {} {}\n", key.id, key.created, base64url_encode(as_bytes(key.key.reveal())));
  return out;
}

KeySet KeySet::made(WallMillis now, Random& random) { return KeySet({make_key(now, random)}); }

const SealKey& KeySet::sealing(WallMillis now) const {
  const SealKey* best = &keys_.front();
  for (const SealKey& key : keys_)
    if (now - key.created >= kPublished.count()) best = &key;
  return *best;
}

const SealKey* KeySet::find(KeyId id) const {
  const auto found = std::ranges::find(keys_, id, &SealKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

bool KeySet::retired(const SealKey& key, WallMillis now, std::chrono::milliseconds lifetime) const {
  const auto found = std::ranges::find(keys_, key.id, &SealKey::id);
  if (found == keys_.end() || found + 1 == keys_.end()) return false;
  return now - (found + 1)->created > (kPublished + lifetime).count();
}

KeyUse KeySet::use_of(const SealKey& key, WallMillis now, std::chrono::milliseconds lifetime) const {
  const auto at = std::ranges::find(keys_, key.id, &SealKey::id);
  CHECK(at != keys_.end());
  const auto sealing_at = std::ranges::find(keys_, sealing(now).id, &SealKey::id);
  const WallMillis published = at->created + kPublished.count();
  if (at > sealing_at) return {KeyUse::What::waits, at->created, published};
  const WallMillis followed = at + 1 == keys_.end() ? 0 : (at + 1)->created + kPublished.count();
  if (at == sealing_at) return {KeyUse::What::seals, at == keys_.begin() ? at->created : published, followed};
  if (!retired(*at, now, lifetime)) return {KeyUse::What::opens, followed, followed + lifetime.count()};
  return {KeyUse::What::retired, followed + lifetime.count(), 0};
}

Result<Rotation> KeySet::rotated(WallMillis now, std::chrono::milliseconds lifetime, Random& random) const {
  std::vector<SealKey> keys;
  std::vector<KeyId> dropped;
  for (const SealKey& key : keys_) {
    if (retired(key, now, lifetime))
      dropped.push_back(key.id);
    else
      keys.push_back(key);
  }
  if (keys.size() >= kKeysMax)
    return fail(Code::invalid_argument, Side::self,
                fmt::format("there are {} keys that still open cookies: wait until the oldest is retired",
                            keys.size()));
  SealKey added = make_key(now, random);
  while (find(added.id) != nullptr) added = make_key(now, random);
  const KeyId id = added.id;
  keys.push_back(std::move(added));
  return Rotation{KeySet(std::move(keys)), id, std::move(dropped)};
}

}  // namespace stateway::session
