#include "keys.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace stateway::sim {

const session::KeySet& key_set() {
  static const session::KeySet kKeys = [] {
    SeededRandom random(1);
    return session::KeySet::made(0, random);
  }();
  return kKeys;
}

const std::string& key_file() {
  static const std::string kPath = [] {
    const int fd = memfd_create("keys", MFD_CLOEXEC);
    const std::string text = key_set().text();
    CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
    CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    return fmt::format("/proc/self/fd/{}", fd);
  }();
  return kPath;
}

}  // namespace stateway::sim
