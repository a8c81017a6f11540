// What the tests of this module share: an environment and files that are not the machine's.
#pragma once

#include <map>
#include <string>

#include "config/config.h"

namespace stateway::config {

inline Sources test_sources() {
  static const std::map<std::string, std::string> environment{
      {"PORT", "9001"}, {"DIR", "/srv"}, {"EMPTY", ""}, {"NESTED", "${PORT}"}, {"BAD", "s3cret value"}};
  static const std::map<std::string, std::string> files{{"shop.token", "abc123\n"},
                                                        {"/srv/admin.token", "xyz"},
                                                        {"empty.token", "\n"},
                                                        {"two.token", "one\ntwo\n"},
                                                        {"long.token", std::string(4097, 'x')}};
  Sources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  sources.file = [](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(Code::io, Side::self, "No such file or directory");
    return found->second;
  };
  return sources;
}

/// Every problem as the line that `stateway check` prints; empty when the text is a good configuration.
inline std::vector<std::string> problem_lines(std::string_view text) {
  std::vector<std::string> lines;
  if (const auto config = parse(text, "F", test_sources()); !config)
    for (const Problem& problem : config.error()) lines.push_back(to_string(problem));
  return lines;
}

}  // namespace stateway::config
