#include <fmt/format.h>

#include <algorithm>

#include "config/sections.h"

namespace stateway::config {
namespace {

std::vector<Address> read_instances(const Section& section) {
  std::vector<Address> instances;
  const std::vector<Text> texts = section.texts("instances");
  for (const Text& text : texts) {
    std::optional<Address> address = section.address("instance", text);
    if (!address) continue;
    const auto refuse = [&](std::string_view why) {
      section.report().problem(text.place, fmt::format("instance \"{}\": {}", text.raw, why));
    };
    if (address->kind == Address::Kind::tcp && address->port == 0)
      refuse("port 0 is no destination");
    else if (is_wildcard(*address))
      refuse("this is no destination: 127.0.0.1 is this machine");
    else if (std::ranges::find(instances, *address) != instances.end())
      refuse("listed twice");
    else
      instances.push_back(std::move(*address));
  }
  return instances;
}

std::vector<std::string> read_command(const Section& section) {
  std::vector<std::string> command;
  for (Text& text : section.texts("command")) {
    if (text.value.find('\0') != std::string::npos)
      section.report().problem(text.place, "an argument may not hold a NUL");
    command.push_back(std::move(text.value));
  }
  if (section.has("command") && (command.empty() || command.front().empty()))
    section.problem("command", R"(command must name a program: ["build/cart", "argument"])");
  return command;
}

/// Fixed addresses or a program: one of the two.
void check_kind(const Section& section) {
  const bool command = section.has("command");
  if (section.has("instances") && command)
    section.problem("command",
                    "command and instances exclude each other: a program to run, or fixed addresses");
  if (!section.has("instances") && !command)
    section.report().problem(section.place(), fmt::format("{} needs instances or command", section.label()));
  if (!command)
    for (const char* name : {"count", "socket", "crash_limit"})
      if (section.has(name))
        section.problem(name, fmt::format("{} needs command: only then instances are started", name));
}

upstream::HealthOptions read_health(const Section& section) {
  upstream::HealthOptions options;
  section.read("interval", options.interval);
  section.read("timeout", options.timeout);
  section.read("fall", options.fall);
  section.read("rise", options.rise);
  if (const auto path = section.text("path")) {
    options.path = path->value;
    const auto allowed = [](char c) { return c > ' ' && c < '\x7f' && c != '#'; };
    if (!options.path.starts_with('/') || !std::ranges::all_of(options.path, allowed))
      section.problem("path", fmt::format("path \"{}\" must begin with / and hold no blanks", path->raw));
  }
  return options;
}

upstream::EjectOptions read_eject(const Section& section) {
  upstream::EjectOptions options;
  section.read("failures", options.failures);
  section.read("time", options.time);
  section.read("time_max", options.time_max);
  if (options.time > options.time_max)
    section.problem(section.has("time_max") ? "time_max" : "time", "time is longer than time_max");
  return options;
}

}  // namespace

upstream::ServiceOptions read_service(const std::string& name, const Section& section) {
  upstream::ServiceOptions options;
  check_name(name, section);
  options.name = name;
  check_kind(section);
  options.instances = read_instances(section);
  if (section.has("instances") && options.instances.empty())
    section.problem("instances", "instances must hold at least one address");
  options.command = read_command(section);
  section.read("count", options.count);
  section.read("socket", options.socket);
  options.token = section.token();
  section.read("balance", options.balance);
  section.read("concurrency_per_instance", options.concurrency_per_instance);
  section.read("queue", options.queue);
  section.read("crash_limit", options.crash_limit);
  section.read("slow_start", options.slow_start);
  options.eject = read_eject(section.table("eject"));
  if (section.has("health")) options.health = read_health(section.table("health"));
  const Section retry = section.table("retry");
  retry.read("attempts", options.retry.attempts);
  retry.read("budget", options.retry.budget);
  const Section timeout = section.table("timeout");
  timeout.read("connect", options.timeout.connect);
  timeout.read("response", options.timeout.response);
  timeout.read("idle", options.timeout.idle);
  return options;
}

}  // namespace stateway::config
