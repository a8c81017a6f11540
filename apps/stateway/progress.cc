#include "stateway/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace stateway {
namespace {

constexpr std::chrono::milliseconds kEvery{200};
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

Progress::Progress(std::FILE* out, std::string what)
    : out_(out), what_(std::move(what)), terminal_(isatty(fileno(out)) == 1) {}

Progress::~Progress() {
  if (!terminal_) return;
  fmt::print(out_, "{}", kClearLine);
  std::fflush(out_);
}

void Progress::show(std::uint64_t done, std::uint64_t all) {
  // tidy: clock: how often a person is told; nothing is decided by it
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now < next_) return;
  next_ = now + kEvery;
  if (all == 0)
    fmt::print(out_, "{}{} {}", kClearLine, done, what_);
  else
    fmt::print(out_, "{}{} of {} {} ({} %)", kClearLine, done, all, what_, done * 100 / all);
  std::fflush(out_);
}

}  // namespace stateway
