#include "small_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/check.h"

namespace stateway::scenario {

SmallDisk::SmallDisk(std::string at, std::size_t mebibytes) : at_(std::move(at)) {
  const std::string size = fmt::format("size={}m", mebibytes);
  // A view of the file system that ends with the last process which has it, and that others do not share.
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("small", at_.c_str(), "tmpfs", 0, size.c_str()) != 0)
    why_not_ = std::strerror(errno);
}

SmallDisk::~SmallDisk() {
  if (mounted()) umount2(at_.c_str(), MNT_DETACH);
}

void SmallDisk::fill(std::size_t octets) {
  struct statvfs now{};
  CHECK(statvfs(at_.c_str(), &now) == 0);
  const std::size_t free = now.f_bavail * now.f_frsize;
  const int file = open((at_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  if (free > octets) CHECK(posix_fallocate(file, 0, static_cast<off_t>(free - octets)) == 0);
  close(file);
}

void SmallDisk::make_room() { std::filesystem::remove(at_ + "/ballast"); }

void SmallDisk::make_read_only() {
  CHECK(mount(nullptr, at_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
}

}  // namespace stateway::scenario
