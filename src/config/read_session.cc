#include <fmt/format.h>

#include <algorithm>

#include "config/sections.h"
#include "http/octets.h"

namespace stateway::config {

void check_name(const std::string& name, const Section& section) {
  constexpr std::size_t kNameMax = 64;
  const auto allowed = [](char c) { return http::is_alpha(c) || http::is_digit(c) || c == '_' || c == '-'; };
  if (name.empty() || name.size() > kNameMax || !std::ranges::all_of(name, allowed))
    section.report().problem(section.place(),
                             fmt::format("{}: a name has 1 to 64 letters, digits, - or _", section.label()));
}

namespace {

/// Warnings, not problems: changing the one line `placement` should not take changing others.
void warn_of_keys_without_effect(const Section& section, const session::SessionOptions& options) {
  const auto warn = [&](std::string_view key, std::string_view when) {
    if (section.has(key))
      section.report().warning(section.place(key),
                               fmt::format("{} has no effect {} placement = \"instance\"", key, when));
  };
  if (options.has_document()) return warn("on_lost_instance", "without");
  for (const std::string_view about_documents : {"overlap", "inline_max", "document_max"})
    warn(about_documents, "with");
}

}  // namespace

session::SessionOptions read_session(const std::string& name, const Section& section) {
  session::SessionOptions options;
  check_name(name, section);
  options.name = name;
  options.cookie = name;
  section.read("placement", options.placement);
  section.read("idle", options.idle);
  section.read("absolute", options.absolute);
  section.read("secure", options.secure);
  section.read("persistent", options.persistent);
  section.read("lane", options.lane);
  section.read("lane_queue", options.lane_queue);
  section.read("lane_wait", options.lane_wait);
  section.read("inline_max", options.inline_bytes_max);
  section.read("document_max", options.document_bytes_max);
  if (section.has("overlap")) {
    session::Overlap overlap{};
    section.read("overlap", overlap);
    options.overlap = overlap;
  }
  section.read("on_lost_instance", options.on_lost_instance);
  warn_of_keys_without_effect(section, options);
  if (options.idle > options.absolute)
    section.problem(section.has("idle") ? "idle" : "absolute",
                    "idle must not be longer than absolute (30m and 24h unless set)");
  if (const auto cookie = section.text("cookie")) {
    options.cookie = cookie->value;
    if (!http::is_token(cookie->value))  // RFC 6265 §4.1.1
      section.problem("cookie", fmt::format("cookie \"{}\" is not a cookie name: use letters, digits, - or _",
                                            cookie->raw));
    else if (cookie->value.starts_with("__"))
      section.problem("cookie",
                      "cookie must not begin with __: the gateway puts __Host- in front where it is secure");
  }
  return options;
}

}  // namespace stateway::config
