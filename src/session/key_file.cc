#include "session/key_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/bytes.h"

namespace stateway::session {
namespace {

constexpr std::size_t kFileBytesMax = 128 * 1024;  // kKeysMax lines have less
constexpr mode_t kForbidden = 0027;                // what the file's mode must not have

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  bool opened() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::unexpected<Error> cannot(std::string_view what, const std::string& path, int error) {
  return fail(error == ENOENT ? Code::not_found : Code::io, Side::self,
              std::string("cannot ")
                  .append(what)
                  .append(" the key file ")
                  .append(path)
                  .append(": ")
                  .append(std::generic_category().message(error)));
}

Result<std::string> read_all(const File& file, const std::string& path) {
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(file.fd(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot("read", path, errno);
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > kFileBytesMax)
      return fail(Code::invalid_argument, Side::self, path + " is too long for a key file");
  }
}

bool write_all(const File& file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(file.fd(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return fsync(file.fd()) == 0;
}

/// A key file that was read, still open.
struct Found {
  File file;
  struct stat about{};
  KeySet keys;
};

Result<Found> open_key_file(const std::string& path) {
  // O_NONBLOCK: a pipe of that name must not make us wait for a writer.
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.opened()) return cannot("read", path, errno);
  struct stat about{};
  if (fstat(file.fd(), &about) != 0) return cannot("read", path, errno);
  if (!S_ISREG(about.st_mode))
    return fail(Code::invalid_argument, Side::self, "the key file " + path + " is not a file");
  if ((about.st_mode & kForbidden) != 0)
    return fail(Code::invalid_argument, Side::self,
                "others may read or write the key file " + path + ": run chmod 600 " + path);
  const auto content = read_all(file, path);
  if (!content) return pass_on(Result<std::string>(content));
  auto keys = KeySet::parse(*content);
  if (!keys)
    return fail(Code::invalid_argument, Side::self,
                "the key file " + path + " is damaged (" + keys.error().context +
                    "): restore it; without it the cookies it sealed open nothing");
  return Found{std::move(file), about, std::move(*keys)};
}

std::string folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

Result<void> make_folder(const std::string& path) {
  const std::filesystem::path folder(folder_of(path));
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    error.assign(errno, std::generic_category());
  if (!error) return {};
  return fail(Code::io, Side::self,
              "cannot create the folder of the key file " + path + ": " + error.message());
}

std::string draft_beside(const std::string& path, Random& random) {
  std::array<std::byte, 9> suffix;
  random.fill(suffix);
  return path + "." + base64url_encode(suffix);
}

Result<void> keep_folder(const std::string& path) {
  const File folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.opened() || fsync(folder.fd()) != 0) return cannot("keep", path, errno);
  return {};
}

File create(const std::string& draft) {
  return File(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
}

// A link appears whole or not at all, and never in place of another file.
Result<void> make_file(const std::string& path, std::string_view content, Random& random) {
  const std::string draft = draft_beside(path, random);
  Result<void> made;
  {
    const File file = create(draft);
    if (!file.opened()) return cannot("create", path, errno == ENOENT ? EIO : errno);
    if (!write_all(file, content) || (link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST))
      made = cannot("write", path, errno == ENOENT ? EIO : errno);
  }
  unlink(draft.c_str());
  if (!made) return made;
  return keep_folder(path);
}

bool keeps_owner(const File& file, const struct stat& wanted) {
  struct stat about{};
  if (fstat(file.fd(), &about) != 0) return false;
  const bool same = about.st_uid == wanted.st_uid && about.st_gid == wanted.st_gid;
  if (!same && fchown(file.fd(), wanted.st_uid, wanted.st_gid) != 0) return false;
  return fchmod(file.fd(), wanted.st_mode & 0777) == 0;
}

// A rename puts the whole new file in the place of the old one.
Result<void> replace_file(const std::string& path, const struct stat& about, std::string_view content,
                          Random& random) {
  const std::string draft = draft_beside(path, random);
  Result<void> made;
  {
    const File file = create(draft);
    if (!file.opened()) return cannot("replace", path, errno == ENOENT ? EIO : errno);
    if (!keeps_owner(file, about))
      made = fail(Code::io, Side::self,
                  "cannot keep owner and mode of the key file " + path + ": rotate as the user who owns it");
    else if (!write_all(file, content) || rename(draft.c_str(), path.c_str()) != 0)
      made = cannot("replace", path, errno == ENOENT ? EIO : errno);
  }
  if (made) return keep_folder(path);
  unlink(draft.c_str());
  return made;
}

constexpr int kLockTries = 200;
constexpr std::chrono::milliseconds kLockPause{10};

// The lock is on the file itself. Whoever gets it on one that another process has replaced meanwhile tries
// again with the new one. nullopt: so many held it for so long.
Result<std::optional<Found>> lock_key_file(const std::string& path) {
  for (int i = 0; i < kLockTries; ++i) {
    auto found = open_key_file(path);
    if (!found) return pass_on(std::move(found));
    if (flock(found->file.fd(), LOCK_EX | LOCK_NB) == 0) {
      struct stat now{};
      if (stat(path.c_str(), &now) != 0) return cannot("read", path, errno);
      if (now.st_dev == found->about.st_dev && now.st_ino == found->about.st_ino)
        return std::optional<Found>(std::move(*found));
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return cannot("lock", path, errno);
    std::this_thread::sleep_for(kLockPause);
  }
  return std::optional<Found>();
}

}  // namespace

Result<KeySet> read_key_file(const std::string& path) {
  auto found = open_key_file(path);
  if (!found) return pass_on(std::move(found));
  return std::move(found->keys);
}

Result<KeySet> read_or_make_key_file(const std::string& path, const WallClock& clock, Random& random) {
  auto present = read_key_file(path);
  if (present || present.error().code != Code::not_found) return present;
  if (auto folder = make_folder(path); !folder) return pass_on(std::move(folder));
  if (auto made = make_file(path, KeySet::made(clock.now(), random).text(), random); !made)
    return pass_on(std::move(made));
  return read_key_file(path);  // the one that came first, perhaps not ours
}

Result<Rotation> rotate_key_file(const std::string& path, WallMillis now, std::chrono::milliseconds lifetime,
                                 Random& random) {
  std::error_code error;
  std::string target = std::filesystem::canonical(path, error);  // a link stays a link
  if (error) return cannot("read", path, error.value());
  auto locked = lock_key_file(target);
  if (!locked) return pass_on(std::move(locked));
  if (!*locked)
    return fail(Code::conflict, Side::self, "somebody else is changing the key file " + path + ": try again",
                Retry::always);
  auto rotation = (*locked)->keys.rotated(now, lifetime, random);
  if (!rotation) return rotation;
  if (auto replaced = replace_file(target, (*locked)->about, rotation->keys.text(), random); !replaced)
    return pass_on(std::move(replaced));
  return rotation;
}

}  // namespace stateway::session
