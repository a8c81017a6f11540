#include "store/outage/segment_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/log.h"

namespace stateway::store::outage {
namespace {

constexpr std::string_view kMagic = "stateway journal 1\n";
constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNumberDigits = 16;
constexpr std::size_t kSumBytes = 8;
constexpr std::size_t kFrameBytes = sizeof(std::uint32_t) + kSumBytes;

std::string reason(int error) { return std::generic_category().message(error); }

std::unexpected<Error> unavailable(std::string context) {
  return fail(Code::store_unavailable, Side::store, std::move(context), Retry::always);
}

// Of the length too: a length that was damaged must not hide the entries behind it for a good one.
std::string sum_of(std::string_view length, std::string_view entry) {
  std::string all;
  all.reserve(length.size() + entry.size());
  all.append(length).append(entry);
  return sha256(all).substr(0, kSumBytes);
}

std::string frame_of(std::string_view entry) {
  std::string frame;
  append_big_endian(frame, static_cast<std::uint32_t>(entry.size()));
  return frame + sum_of(frame, entry);
}

// Takes one entry off the front; false: damaged, or not all there.
bool take_entry(std::string_view& in, std::string_view& entry) {
  std::string_view rest = in;
  std::uint32_t bytes = 0;
  if (!take_big_endian(rest, bytes) || rest.size() < kSumBytes + bytes) return false;
  entry = rest.substr(kSumBytes, bytes);
  if (rest.substr(0, kSumBytes) != sum_of(in.substr(0, sizeof bytes), entry)) return false;
  in.remove_prefix(kFrameBytes + bytes);
  return true;
}

int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

int read_all(int fd, std::uint64_t offset, std::string& into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ENODATA;
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

// A file that is on disk must be found there after a loss of power.
int sync_folder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

struct SegmentLog::Segment {
  Segment(std::uint64_t n, std::string p, int f) : number(n), path(std::move(p)), fd(f) {}
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() { close(fd); }

  const std::uint64_t number;
  const std::string path;
  const int fd;
  std::uint64_t bytes = 0;               // good ones; the appending thread's
  std::atomic<std::uint64_t> needed{0};  // entries
};

SegmentLog::~SegmentLog() = default;

std::string SegmentLog::path_of(std::uint64_t number) const {
  return fmt::format("{}/{}-{:016x}{}", options_.folder, options_.name, number, kSuffix);
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(Options options, const Visit& visit) {
  std::unique_ptr<SegmentLog> log(new SegmentLog(std::move(options)));
  const std::string front = log->options_.name + "-";
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(log->options_.folder, error)) {
    const std::string name = file.path().filename().string();
    if (name.size() != front.size() + kNumberDigits + kSuffix.size() || !name.starts_with(front) ||
        !name.ends_with(kSuffix))
      continue;
    std::uint64_t number = 0;
    const char* const end = name.data() + front.size() + kNumberDigits;
    if (std::from_chars(name.data() + front.size(), end, number, 16).ptr == end) numbers.push_back(number);
  }
  if (error)
    return fail(Code::io, Side::self, "cannot read " + log->options_.folder + ": " + error.message());
  std::ranges::sort(numbers);
  for (const std::uint64_t number : numbers) {
    const std::string path = log->path_of(number);
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return fail(Code::io, Side::self, "cannot open " + path + ": " + reason(errno));
    const auto segment = std::make_shared<Segment>(number, path, fd);
    if (auto scanned = log->scan(*segment, visit); !scanned) return pass_on(std::move(scanned));
    log->bytes_ += segment->bytes;
    log->segments_.emplace(number, segment);
    log->next_ = number + 1;
  }
  return log;
}

Result<void> SegmentLog::scan(Segment& segment, const Visit& visit) {
  struct stat about{};
  if (fstat(segment.fd, &about) != 0)
    return fail(Code::io, Side::self, "cannot read " + segment.path + ": " + reason(errno));
  std::string content(static_cast<std::size_t>(about.st_size), '\0');
  if (const int error = read_all(segment.fd, 0, content); error != 0)
    return fail(Code::io, Side::self, "cannot read " + segment.path + ": " + reason(error));
  // The process may have ended before it had written as much as that.
  if (!content.starts_with(kMagic)) {
    if (content.size() >= kMagic.size())
      return fail(Code::io, Side::self, segment.path + " is no journal of this version of Stateway");
    return {};
  }
  std::string_view rest = content;
  rest.remove_prefix(kMagic.size());
  std::string_view entry;
  for (;;) {
    const std::uint64_t offset = content.size() - rest.size();
    segment.bytes = offset;
    if (rest.empty()) return {};
    if (!take_entry(rest, entry)) break;
    const Place place{segment.number, offset, static_cast<std::uint32_t>(entry.size())};
    if (auto visited = visit(place, entry); !visited)
      return fail(visited.error().code, Side::self, segment.path + ": " + visited.error().context);
  }
  log::warn("the journal has a damaged end, which is not used",
            {{"file", segment.path}, {"octets", rest.size()}, {"good", segment.bytes}});
  return {};
}

Result<SegmentLog::SegmentPtr> SegmentLog::begin_segment() {
  const std::string path = path_of(next_);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return unavailable("cannot create " + path + ": " + reason(errno));
  auto segment = std::make_shared<Segment>(next_++, path, fd);
  int error = write_all(fd, kMagic);
  if (error == 0) error = sync_folder(options_.folder);
  if (error != 0) {
    unlink(path.c_str());
    return unavailable("cannot write " + path + ": " + reason(error));
  }
  segment->bytes = kMagic.size();
  bytes_ += segment->bytes;
  const std::lock_guard lock(mutex_);
  segments_.emplace(segment->number, segment);
  return segment;
}

Result<std::vector<Place>> SegmentLog::append(std::span<const std::string> entries, bool synced) {
  std::string content;
  for (const std::string& entry : entries) content.append(frame_of(entry)).append(entry);
  if (bytes() + content.size() + kMagic.size() > options_.bytes_max)
    return unavailable(fmt::format("the journal in {} is full", options_.folder));
  if (current_ && current_->bytes + content.size() > options_.segment_bytes) current_ = nullptr;
  if (!current_) {
    auto begun = begin_segment();
    if (!begun) return pass_on(std::move(begun));
    current_ = std::move(*begun);
  }
  Segment& segment = *current_;
  int error = write_all(segment.fd, content);
  const bool written = error == 0;
  if (written && synced && fdatasync(segment.fd) != 0) error = errno;
  if (error != 0) {
    // After a failed sync nobody knows what the file has: it gets nothing more.
    if (ftruncate(segment.fd, static_cast<off_t>(segment.bytes)) != 0 || written)
      current_ = nullptr;
    else
      lseek(segment.fd, static_cast<off_t>(segment.bytes), SEEK_SET);
    return unavailable("cannot write " + segment.path + ": " + reason(error));
  }
  std::vector<Place> places;
  places.reserve(entries.size());
  for (const std::string& entry : entries) {
    places.push_back({segment.number, segment.bytes, static_cast<std::uint32_t>(entry.size())});
    segment.bytes += kFrameBytes + entry.size();
  }
  bytes_ += content.size();
  return places;
}

SegmentLog::SegmentPtr SegmentLog::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto at = segments_.find(number);
  return at == segments_.end() ? nullptr : at->second;
}

Result<std::string> SegmentLog::read(const Place& place) const {
  const SegmentPtr segment = find(place.segment);
  if (!segment) return unavailable("the journal has no such entry any more");
  std::string content(kFrameBytes + place.bytes, '\0');
  if (const int error = read_all(segment->fd, place.offset, content); error != 0)
    return unavailable("cannot read " + segment->path + ": " + reason(error));
  std::string_view rest = content, entry;
  if (!take_entry(rest, entry)) return unavailable(segment->path + " is damaged");
  return std::string(entry);
}

void SegmentLog::need(const Place& place) {
  if (const SegmentPtr segment = find(place.segment)) ++segment->needed;
}

void SegmentLog::release(const Place& place) {
  if (const SegmentPtr segment = find(place.segment)) --segment->needed;
}

void SegmentLog::drop(const SegmentPtr& segment) {
  unlink(segment->path.c_str());
  bytes_ -= segment->bytes;
  if (current_ == segment) current_ = nullptr;
  const std::lock_guard lock(mutex_);
  segments_.erase(segment->number);
}

void SegmentLog::drop_unneeded() {
  for (;;) {
    const SegmentPtr oldest = find(first());
    if (!oldest || oldest->needed != 0) return;
    drop(oldest);
  }
}

bool SegmentLog::drop_oldest() {
  const SegmentPtr oldest = find(first());
  if (oldest) drop(oldest);
  return oldest != nullptr;
}

std::uint64_t SegmentLog::first() const {
  const std::lock_guard lock(mutex_);
  return segments_.empty() ? next_ : segments_.begin()->first;
}

std::uint64_t SegmentLog::bytes() const { return bytes_; }

}  // namespace stateway::store::outage
