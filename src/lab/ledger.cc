#include "lab/ledger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stateway::lab {

void Ledger::record(std::string_view session, std::string_view item, Write write) {
  auto items = writes_.find(session);
  if (items == writes_.end()) items = writes_.emplace(session, Items()).first;
  const auto [at, added] = items->second.emplace(item, write);
  if (!added) at->second = std::max(at->second, write);
}

Findings Ledger::verify(std::string_view session, std::span<const std::string> observed) const {
  std::map<std::string_view, std::size_t> there;
  for (const std::string& item : observed) ++there[item];

  static const Items kNone;
  const auto found = writes_.find(session);
  const Items& written = found == writes_.end() ? kNone : found->second;

  Findings out;
  for (const auto& [item, write] : written)
    if (write == Write::acknowledged && !there.contains(item)) out.missing.push_back(item);
  for (const auto& [item, times] : there) {
    if (times > 1) out.duplicated.emplace_back(item);
    const auto write = written.find(item);
    if (write == written.end())
      out.unknown.emplace_back(item);
    else if (write->second == Write::refused)
      out.undead.emplace_back(item);
  }
  return out;
}

std::size_t Ledger::count(Write write) const {
  std::size_t out = 0;
  for (const auto& [session, items] : writes_)
    out += static_cast<std::size_t>(
        std::ranges::count_if(items, [write](const auto& item) { return item.second == write; }));
  return out;
}

std::string Findings::text() const {
  std::string out;
  const auto say = [&out](std::string_view what, const std::vector<std::string>& items) {
    constexpr std::size_t kShown = 10;
    if (items.empty()) return;
    const std::span shown(items.data(), std::min(items.size(), kShown));
    out += fmt::format("{} {}: {}{}\n", items.size(), what, fmt::join(shown, ", "),
                       items.size() > kShown ? ", …" : "");
  };
  say("acknowledged but missing", missing);
  say("there more than once", duplicated);
  say("there but never written", unknown);
  say("there although refused", undead);
  return out;
}

}  // namespace stateway::lab
