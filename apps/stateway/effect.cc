#include "stateway/effect.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "stateway/columns.h"

namespace stateway {
namespace {

using config::Setting;
using Settings = std::vector<Setting>;

const Setting* find(const Settings& all, std::string_view section, std::string_view key) {
  const auto found =
      std::ranges::find_if(all, [&](const Setting& s) { return s.section == section && s.key == key; });
  return found == all.end() ? nullptr : &*found;
}

std::string_view value_of(const Settings& all, std::string_view section, std::string_view key) {
  const Setting* setting = find(all, section, key);
  return setting == nullptr ? "none" : std::string_view(setting->value);
}

bool has_section(const Settings& all, std::string_view section) {
  return std::ranges::find(all, section, &Setting::section) != all.end();
}

/// The sections of `all`, each once, in order.
std::vector<std::string_view> sections_of(const Settings& all) {
  std::vector<std::string_view> out;
  for (const Setting& setting : all)
    if (std::ranges::find(out, setting.section) == out.end()) out.emplace_back(setting.section);
  return out;
}

bool begins(std::string_view section, std::string_view with) { return section.starts_with(with); }

/// "session shop", "service shop", "route /api"; the part of a service is said with its keys.
std::string title(std::string_view section) {
  for (const std::string_view kind : {"session.", "service."})
    if (begins(section, kind)) {
      const std::string_view name = section.substr(kind.size());
      const std::size_t dot = name.find('.');
      return fmt::format("{} {}", kind.substr(0, kind.size() - 1), name.substr(0, dot));
    }
  return std::string(section);
}

/// "idle", "health.path".
std::string key_in_words(const Setting& setting) {
  if (!begins(setting.section, "service.")) return setting.key;
  const std::size_t dot = setting.section.find('.', std::string_view("service.").size());
  return dot == std::string::npos ? setting.key : setting.section.substr(dot + 1) + "." + setting.key;
}

std::string in_store(const KindInForce& kind) {
  if (kind.counted_at.empty()) return "the sessions in the store (not counted yet)";
  return fmt::format("{} in the store (counted at {})", kind.live, to_the_second(kind.counted_at));
}

/// What becomes of the sessions whose placement changes.
std::string fate(std::string_view from, std::string_view to, const KindInForce& kind,
                 std::string_view absolute) {
  const std::string stored = in_store(kind);
  if (to == "instance")
    return from == "client"
               ? fmt::format("all sessions start anew: {}, and those in cookies, which nobody can count",
                             stored)
               : fmt::format("all sessions start anew: {}", stored);
  if (from == "instance")
    return "each session moves with its next exchange, if its instance hands it out as the adapters do; else "
           "it "
           "starts anew; nobody can count them";
  if (from == "client")
    return fmt::format(
        "each session moves out of its cookie with its next exchange; nobody can count them, and "
        "after {} the last one is here or over; {} already",
        absolute, stored);
  if (to == "client")
    return fmt::format(
        "sessions move into their cookies, as far as they fit, each with its next exchange: {}", stored);
  return fmt::format("all sessions stay where they are: {}", stored);
}

class Comparison {
 public:
  Comparison(const Settings& in_force, const Settings& next, const std::vector<KindInForce>& kinds)
      : in_force_(in_force), next_(next), kinds_(kinds) {}

  Effect run() {
    for (const std::string_view section : sections_of(next_)) {
      if (is_whole(section) && !has_section(in_force_, section))
        say_added(section);
      else
        compare(section);
    }
    for (const std::string_view section : sections_of(in_force_))
      if (!has_section(next_, section)) say_removed(section);
    return std::move(effect_);
  }

 private:
  /// Comes and goes as a whole; the others have their defaults when they are not there, or belong to one.
  static bool is_whole(std::string_view section) {
    return section == "store.previous" || begins(section, "listen ") || begins(section, "route ") ||
           begins(section, "session.") ||
           (begins(section, "service.") &&
            section.find('.', std::string_view("service.").size()) == std::string_view::npos);
  }
  static std::string_view service_of(std::string_view section) {
    return section.substr(0, section.find('.', std::string_view("service.").size()));
  }

  KindInForce kind(std::string_view section) const {
    const std::string_view name = section.substr(std::string_view("session.").size());
    const auto found = std::ranges::find(kinds_, name, &KindInForce::name);
    return found == kinds_.end() ? KindInForce{.name = std::string(name)} : *found;
  }

  void say_added(std::string_view section) {
    std::string line = title(section) + " added";
    if (begins(section, "session."))
      line += fmt::format(", placement {}", value_of(next_, section, "placement"));
    if (begins(section, "route ")) {
      line += fmt::format(": service {}", value_of(next_, section, "service"));
      if (const auto session = value_of(next_, section, "session"); session != "none")
        line += fmt::format(", session {}", session);
    }
    effect_.changes.push_back(std::move(line));
  }

  void say_removed(std::string_view section) {
    if (!is_whole(section)) {
      if (begins(section, "service.") && has_section(next_, service_of(section))) compare(section);
      return;
    }
    std::string line = title(section) + " removed";
    if (begins(section, "session."))
      line += fmt::format(": nothing opens its sessions any more, {}", in_store(kind(section)));
    effect_.changes.push_back(std::move(line));
  }

  void compare(std::string_view section) {
    if (begins(section, "service.") && !has_section(in_force_, service_of(section))) return;  // added whole
    const Settings& keys = has_section(next_, section) ? next_ : in_force_;
    for (const Setting& setting : keys) {
      if (setting.section != section) continue;
      const std::string_view before = value_of(in_force_, section, setting.key);
      const std::string_view after = value_of(next_, section, setting.key);
      if (before != after) say_changed(setting, before, after);
    }
  }

  static bool says_which_store(std::string_view key) {
    return key == "kind" || key == "path" || key == "url";
  }
  /// Whether `section` of `all` names the store that section `other` of `others` names.
  static bool same_store(const Settings& all, std::string_view section, const Settings& others,
                         std::string_view other = "store") {
    const auto same = [&](std::string_view key) {
      return value_of(all, section, key) == value_of(others, other, key);
    };
    const std::string_view kind = value_of(all, section, "kind");
    return same("kind") && (kind == "memory" || same(kind == "embedded" ? "path" : "url"));
  }
  bool store_changes() const { return !same_store(next_, "store", in_force_); }
  bool store_moves() const {
    return has_section(next_, "store.previous") && same_store(next_, "store.previous", in_force_);
  }

  /// What is opened anew needs no restart; which store it is is no key of its own.
  bool say_store_changed(const Setting& setting) {
    if (setting.section == "store.previous")
      return setting.restart && !same_store(next_, "store.previous", in_force_, "store.previous");
    if (setting.section != "store" || !setting.restart || !store_changes()) return false;
    const bool lost = value_of(in_force_, "store", "kind") == "memory";
    if (!says_which_store(setting.key)) return store_moves() || lost;
    if (std::exchange(said_store_, true)) return true;
    std::string line =
        fmt::format("store {} in place of {}", store_in_words(next_), store_in_words(in_force_));
    if (store_moves())
      effect_.changes.push_back(line + "; sessions move as they are used");
    else if (lost)
      effect_.changes.push_back(line + "; its sessions are lost");
    else
      effect_.restarts.push_back(line + ", unless [store.previous] names it");
    return true;
  }
  static std::string store_in_words(const Settings& all) {
    const std::string_view kind = value_of(all, "store", "kind");
    return kind == "embedded" ? fmt::format("embedded at {}", value_of(all, "store", "path"))
                              : std::string(kind);
  }

  void say_changed(const Setting& setting, std::string_view before, std::string_view after) {
    if (say_store_changed(setting)) return;
    if (setting.restart) {
      effect_.restarts.push_back(fmt::format("{}.{}: {} → {}", setting.section, setting.key, before, after));
      return;
    }
    std::string line = fmt::format("{}: {} ", title(setting.section), key_in_words(setting));
    const bool is_program = begins(setting.section, "service.") && setting.key == "command";
    if (is_program && before != "none" && after != "none")
      line += "changed; its processes are restarted one after the other";
    else if (is_program)
      line += before == "none" ? "in place of fixed addresses" : "gives way to fixed addresses";
    else
      line += fmt::format("{} → {}", before, after);
    if (begins(setting.section, "session.") && setting.key == "placement")
      line += fmt::format("; {}", fate(before, after, kind(setting.section),
                                       value_of(in_force_, setting.section, "absolute")));
    effect_.changes.push_back(std::move(line));
  }

  const Settings& in_force_;
  const Settings& next_;
  const std::vector<KindInForce>& kinds_;
  Effect effect_;
  bool said_store_ = false;
};

}  // namespace

Effect effect_of(const std::vector<config::Setting>& in_force, const std::vector<config::Setting>& next,
                 const std::vector<KindInForce>& kinds) {
  return Comparison(in_force, next, kinds).run();
}

}  // namespace stateway
