#include "session/holders.h"

#include <algorithm>

#include "http/octets.h"

namespace stateway::session {

bool is_hold_token(std::string_view text) {
  constexpr std::size_t kMost = 64;
  const auto allowed = [](char c) {
    return http::is_alpha(c) || http::is_digit(c) || std::string_view("._~-").contains(c);
  };
  return !text.empty() && text.size() <= kMost && std::ranges::all_of(text, allowed);
}

Holders::Visit Holders::visit(Sending sending, TimePoint now) {
  Visit visit(*this, std::move(sending), now);
  const Sending& s = visit.sending_;
  if (s.fresh) return visit;  // most of these never begin a session
  known_.change(s.id, now, [&](Known& known) {
    if (known.number == 0) known.number = next_number();
    visit.number_ = known.number;
    visit.outdated_ = known.inside != 0 && s.version < known.told;
    if (visit.outdated_) return std::optional(terms(known, now + s.idle));
    if (known.inside++ == 0) {
      known.lowest_given = s.version;
      known.told = 0;
      known.crowd_made = 0;  // all of them have left: whatever is written now is written later
    }
    known.lowest_given = std::min(known.lowest_given, s.version);
    // It was loaded before that version was made; what it makes would go by the same number.
    if (s.version < known.version) known.version = 0;
    const bool same = known.version == s.version && known.epoch == s.epoch;
    if (known.version != 0 && same && known.identity == s.identity) visit.held_ = known.token;
    if (!visit.held_.empty()) known.told = std::max(known.told, s.version);
    return std::optional(terms(known, now + s.idle));
  });
  if (visit.outdated_) visit.holders_ = nullptr;
  return visit;
}

Holders::Visit& Holders::Visit::operator=(Visit&& other) noexcept {
  if (this == &other) return *this;
  end_unknown();
  holders_ = std::exchange(other.holders_, nullptr);
  sending_ = std::move(other.sending_);
  began_ = other.began_;
  number_ = other.number_;
  outdated_ = other.outdated_;
  held_ = std::move(other.held_);
  kept_ = std::move(other.kept_);
  return *this;
}

// Calls change(known, counted, others): whether this visit is one of `inside`, and how many are besides it.
template <class Change>
void Holders::Visit::leave(Change&& change) {
  Holders* const all = std::exchange(holders_, nullptr);
  if (all == nullptr) return;
  all->known_.change(sending_.id, began_, [&](Known& known) {
    const bool counted = known.number == number_;
    if (known.number == 0) known.number = all->next_number();
    if (counted && number_ != 0) --known.inside;
    change(known, counted, known.inside);
    return std::optional(terms(known, began_ + sending_.idle));
  });
}

void Holders::Visit::end_without_effect() {
  if (number_ == 0) holders_ = nullptr;
  leave([](Known&, bool, unsigned) {});
}

void Holders::Visit::end_needing() {
  leave([&](Known& known, bool, unsigned) {
    if (known.version == sending_.version) known.version = 0;
  });
}

// It may still run, and leave another document under the version that it thinks it makes.
void Holders::Visit::end_unknown() {
  // A new session's id is this exchange's alone: it says itself when it sends it again.
  if (number_ == 0) holders_ = nullptr;
  leave([&](Known& known, bool, unsigned) {
    const store::Revision made = sending_.version + 1;
    known.doubt(made);
    const bool changed = known.version == sending_.version && known.identity == sending_.identity;
    const bool other_epoch = sending_.epoch != known.epoch && known.identity == sending_.identity;
    if (changed || other_epoch || known.version == made) known.version = 0;
  });
}

void Holders::Visit::end(store::Revision now_at) {
  const bool changed = now_at != sending_.version;
  // Nobody knows of a new session but this exchange, until it has begun.
  if (number_ == 0 && !changed) holders_ = nullptr;
  leave([&](Known& known, bool counted, unsigned others) {
    const store::Revision made = changed ? sending_.version + 1 : sending_.version;
    const bool alone = changed ? others == 0 : others == 0 || known.lowest_given >= sending_.version;
    if (sending_.fresh && sending_.again) known.doubt(made);
    const bool sure =
        counted && alone && made > known.crowd_made && !known.doubts(made) && sending_.epoch.has_value();
    if (sure && now_at == made && !kept_.empty() && sending_.identity != 0 && made != 0) {
      known.identity = sending_.identity;
      known.token = std::move(kept_);
      known.version = made;
      known.epoch = *sending_.epoch;
      return;
    }
    // It may keep what it was given now, under the number of what it was known to hold.
    if (sending_.epoch != known.epoch && known.identity == sending_.identity) known.version = 0;
    if (!changed) return;
    if (!counted) known.doubt(made);
    if (others != 0) known.crowd_made = std::max(known.crowd_made, made);
    if (known.version == made) known.version = 0;
  });
}

}  // namespace stateway::session
