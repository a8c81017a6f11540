// What the tests of this module share: an environment and files that are not the machine's.
#pragma once

#include <map>
#include <string>

#include "config/config.h"

namespace stateway::config {

// A pair for nobody.
inline constexpr const char* kTestCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUe4FRhKw/54kMku5ItrimsXLjnK4wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMTE4MTMzNVoYDzIxMjYx
MDI4MTgxMzM1WjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARwNxSEWAVBfgSYytrAk3EuKVsWyClUPu2/gbNjdGqaI5V+
9+Vo4azRER9j2gIMrhYZMvmqHzuNru0oAlusjBSro1MwUTAdBgNVHQ4EFgQUI7Bn
Y0cc50aJxk1yc18qMPxGE1wwHwYDVR0jBBgwFoAUI7BnY0cc50aJxk1yc18qMPxG
E1wwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAew9Ug5ShxWTAV
G3IcIeV5OqaxxN+D3PxK2eccpIN0nQIhAJKSAWSMhSHp9IPffg4JTkPJLHEU0uZn
9lJin3pZLlMn
-----END CERTIFICATE-----
)";
inline constexpr const char* kTestKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPM9blNL9x0D5nSqM
osB82nFML3kppK4W4UiRaHyNs9WhRANCAARwNxSEWAVBfgSYytrAk3EuKVsWyClU
Pu2/gbNjdGqaI5V+9+Vo4azRER9j2gIMrhYZMvmqHzuNru0oAlusjBSr
-----END PRIVATE KEY-----
)";

inline Sources test_sources() {
  static const std::map<std::string, std::string> environment{
      {"PORT", "9001"}, {"DIR", "/srv"}, {"EMPTY", ""}, {"NESTED", "${PORT}"}, {"BAD", "s3cret value"}};
  static const std::map<std::string, std::string> files{{"shop.token", "abc123\n"},
                                                        {"shop.pem", kTestCertificate},
                                                        {"shop.key", kTestKey},
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
