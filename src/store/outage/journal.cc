#include "store/outage/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace stateway::store::outage {
namespace {

// Beyond them a sync is shared well enough.
constexpr std::size_t kGroupMax = 1024;
// A file goes as a whole: small enough that little goes with it, large enough that few are opened.
constexpr std::uint64_t kSegmentBytesMax = 8u << 20;

std::unexpected<Error> cannot(std::string what, const std::string& path, std::string_view why) {
  return fail(Code::io, Side::self, what.append(path).append(": ").append(why));
}

Result<int> lock_folder(const std::string& folder) {
  const std::filesystem::path path(folder);
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (!error && mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    error.assign(errno, std::generic_category());
  if (error) return cannot("cannot create the journal's folder ", folder, error.message());
  const std::string lock = folder + "/LOCK";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return cannot("cannot write to the journal's folder ", folder, std::generic_category().message(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return fail(Code::io, Side::self,
              "another gateway uses " + folder + ": stop it, or give this one its own store.journal");
}

Result<std::unique_ptr<SegmentLog>> open_series(const Journal::Options& options, bool acknowledged,
                                                const Journal::Visit& visit) {
  const SegmentLog::Options series{.folder = options.folder,
                                   .name = acknowledged ? "acknowledged" : "intents",
                                   .bytes_max = options.bytes_max,
                                   .segment_bytes = std::min(kSegmentBytesMax, options.bytes_max / 8)};
  return SegmentLog::open(series, [&](const Place& place, std::string_view text) -> Result<void> {
    auto entry = decode_entry(text);
    if (!entry) return fail(Code::io, Side::self, "an entry of a newer version of Stateway");
    visit({acknowledged, place}, std::move(*entry));
    return {};
  });
}

}  // namespace

/// All answers of one group for one loop.
struct Journal::Answers final : io::Mail {
  std::vector<RequestPtr> requests;
  void deliver() override {
    for (const RequestPtr& request : requests)
      if (request->waiting) std::exchange(request->waiting, nullptr).resume();
  }
};

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, const Visit& visit) {
  const auto lock = lock_folder(options.folder);
  if (!lock) return std::unexpected(lock.error());
  auto acknowledged = open_series(options, true, visit);
  if (!acknowledged) {
    close(*lock);
    return pass_on(std::move(acknowledged));
  }
  auto intents = open_series(options, false, visit);
  if (!intents) {
    close(*lock);
    return pass_on(std::move(intents));
  }
  return std::unique_ptr<Journal>(new Journal(options, *lock, std::move(*intents), std::move(*acknowledged)));
}

Journal::Journal(const Options& options, int lock, std::unique_ptr<SegmentLog> intents,
                 std::unique_ptr<SegmentLog> acknowledged)
    : folder_(options.folder),
      bytes_max_(options.bytes_max),
      lock_(lock),
      intents_(std::move(intents)),
      acknowledged_(std::move(acknowledged)),
      thread_([this] { work(); }) {
  pthread_setname_np(thread_.native_handle(), "journal");
}

Journal::~Journal() {
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->stopping = true;
  }
  inbox_->wake.notify_one();
  thread_.join();
  close(lock_);
}

Journal::Submission Journal::write_intent(io::Loop& loop, WorkPtr work) {
  return Submission(*this, std::make_shared<Request>(&loop, std::move(work), false));
}

Journal::Submission Journal::write_acknowledged(io::Loop& loop, WorkPtr work) {
  return Submission(*this, std::make_shared<Request>(&loop, std::move(work), true));
}

void Journal::write_done(std::string entry) {
  auto request = std::make_shared<Request>(nullptr, nullptr, false);
  request->entry = std::move(entry);
  submit(std::move(request));
}

void Journal::tidy() {
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->untidy = true;
  }
  inbox_->wake.notify_one();
}

void Journal::submit(RequestPtr request) {
  io::Loop* const loop = request->loop;
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->queue.push_back(std::move(request));
  }
  // The commits of one turn of a loop become one group, or join the one that forms while another is written.
  if (loop != nullptr)
    loop->at_turn_end(inbox_);
  else
    inbox_->wake.notify_one();
}

void Journal::work() {
  while (take()) {
    write_group(true);
    write_group(false);
    answer();
    intents_->drop_unneeded();
    acknowledged_->drop_unneeded();
  }
}

// What is judged must see what was judged before it of the same session: that is in another group.
bool Journal::take() {
  std::unique_lock lock(inbox_->mutex);
  std::deque<RequestPtr>& queue = inbox_->queue;
  inbox_->wake.wait(lock, [&] { return inbox_->stopping || inbox_->untidy || !queue.empty(); });
  const bool untidy = std::exchange(inbox_->untidy, false);
  std::set<std::string_view> tags;
  while (!queue.empty() && group_.size() < kGroupMax) {
    if (queue.front()->work && !tags.insert(queue.front()->work->tag).second) break;
    group_.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return !group_.empty() || (untidy && !inbox_->stopping);
}

void Journal::write_group(bool acknowledged) {
  std::vector<Request*> written;
  std::vector<std::string> entries;
  bool synced = false;
  std::size_t bytes = 1024;  // and frames
  for (const RequestPtr& request : group_) {
    if (request->acknowledged != acknowledged) continue;
    auto entry = request->work ? request->work->prepare() : std::move(request->entry);
    if (!entry) {
      request->outcome = pass_on(std::move(entry));
      continue;
    }
    synced = synced || (request->work && !acknowledged);
    bytes += entry->size() + 16;
    written.push_back(request.get());
    entries.push_back(std::move(*entry));
  }
  if (entries.empty()) return;
  SegmentLog& log = acknowledged ? *acknowledged_ : *intents_;
  while (acknowledged && log.bytes() + bytes > bytes_max_ && log.drop_oldest()) continue;
  const auto places = log.append(entries, synced);
  bool& failing = acknowledged ? acknowledged_failing_ : intents_failing_;
  if (!places && !failing) log::error("the journal takes nothing", {{"error", places.error().context}});
  if (places && failing) log::info("the journal takes entries again", {{"folder", folder_}});
  failing = !places;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!places)
      written[i]->outcome = std::unexpected(places.error());
    else if (written[i]->work)
      written[i]->work->publish({acknowledged, (*places)[i]});
  }
}

void Journal::answer() {
  std::vector<std::pair<io::Loop*, Answers*>> mails;  // the gateway has a handful of loops
  for (RequestPtr& request : group_) {
    if (request->loop == nullptr) continue;
    auto at = std::ranges::find(mails, request->loop, &std::pair<io::Loop*, Answers*>::first);
    if (at == mails.end())
      at = mails.insert(mails.end(), {request->loop, std::make_unique<Answers>().release()});
    at->second->requests.push_back(std::move(request));
  }
  group_.clear();
  for (const auto& [loop, mail] : mails) loop->deliver(mail);
}

Result<JournalEntry> Journal::read(const At& at) const {
  auto text = series(at).read(at.place);
  if (!text) return pass_on(std::move(text));
  auto entry = decode_entry(*text);
  if (!entry) return fail(Code::store_unavailable, Side::store, "the journal is damaged");
  return std::move(*entry);
}

}  // namespace stateway::store::outage
