#include "session/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/bytes.h"

namespace stateway::session {
namespace {

constexpr std::size_t kFileBytesMax = 128 * 1024;  // kKeysMax lines have less
constexpr mode_t kForbidden = 0027;                // what the file's mode must not have

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
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

// A link appears whole or not at all, and never in place of another file.
Result<void> make_file(const std::string& path, std::string_view content, Random& random) {
  std::array<std::byte, 9> suffix;
  random.fill(suffix);
  const std::string draft = path + "." + base64url_encode(suffix);
  Result<void> made;
  {
    const File file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.opened()) return cannot("create", path, errno == ENOENT ? EIO : errno);
    if (!write_all(file, content) || (link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST))
      made = cannot("write", path, errno == ENOENT ? EIO : errno);
  }
  unlink(draft.c_str());
  const File folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (made && (!folder.opened() || fsync(folder.fd()) != 0)) return cannot("keep", path, errno);
  return made;
}

}  // namespace

Result<KeySet> read_key_file(const std::string& path) {
  // O_NONBLOCK: a pipe of that name must not make us wait for a writer.
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
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
  return keys;
}

Result<KeySet> read_or_make_key_file(const std::string& path, const WallClock& clock, Random& random) {
  auto present = read_key_file(path);
  if (present || present.error().code != Code::not_found) return present;
  if (auto folder = make_folder(path); !folder) return pass_on(std::move(folder));
  if (auto made = make_file(path, KeySet::made(clock.now(), random).text(), random); !made)
    return pass_on(std::move(made));
  return read_key_file(path);  // the one that came first, perhaps not ours
}

}  // namespace stateway::session
