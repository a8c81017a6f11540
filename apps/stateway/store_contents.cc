#include "stateway/store_contents.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

#include "admin/json_writer.h"
#include "stateway/admin_client.h"
#include "stateway/answer.h"
#include "stateway/columns.h"
#include "stateway/progress.h"
#include "stateway/stores.h"
#include "store/backup.h"
#include "store/moving.h"

namespace stateway {
namespace {

namespace fs = std::filesystem;

constexpr auto kLook = std::chrono::milliseconds(500);  // at how far a running gateway is

int say(std::FILE* err, const Error& error) {
  fmt::print(err, "stateway: {}\n", error.context);
  return error.code == Code::invalid_argument ? kExitBadUsage : kExitFailed;
}

std::string time_of(WallMillis at) { return to_the_second(admin::time_text(at)); }

/// The configuration, unless --admin says which gateway is meant.
std::expected<std::optional<config::Config>, int> read_config(const Command& command, std::FILE* err) {
  if (command.admin.address) return std::nullopt;
  auto loaded = config::load(command.config_path);
  if (loaded) return std::move(*loaded);
  for (const config::Problem& problem : loaded.error()) fmt::print(err, "{}\n", to_string(problem));
  return std::unexpected(kExitBadUsage);
}

/// "redis://…", "postgres://…", or the directory of an embedded store.
Result<store::StoreOptions> store_named(const std::string& text) {
  store::StoreOptions options;
  const std::string_view scheme = std::string_view(text).substr(0, text.find("://"));
  if (scheme.size() == text.size()) {
    options.path = text;
    return options;
  }
  if (scheme.starts_with("redis"))
    options.kind = store::Kind::redis;
  else if (scheme.starts_with("postgres"))
    options.kind = store::Kind::postgres;
  else
    return fail(Code::invalid_argument, Side::client,
                "a store is a directory, or a URL that begins with redis or postgres");
  options.url = Secret(text);
  return options;
}

/// Both stores of a copy, on a loop of this thread.
class Copy {
 public:
  Result<void> open(const store::StoreOptions& from, const store::StoreOptions& to) {
    if (store::same_place(from, to))
      return fail(Code::invalid_argument, Side::client, "--from and --to are the same store");
    // A directory that is not there would be made: nobody copies out of that.
    if (from.kind == store::Kind::embedded && !fs::exists(from.path))
      return fail(Code::invalid_argument, Side::client, "there is no store in " + from.path);
    const auto two = known_as_two(to, from, clock_);
    if (!two) return fail(Code::invalid_argument, Side::client, "--from and --to: " + two.error().context);
    auto previous = open_store(from, clock_);
    if (!previous) return pass_on(std::move(previous));
    auto next = open_store(to, clock_);
    if (!next) return pass_on(std::move(next));
    moving_ =
        std::make_unique<store::MovingStore>(std::move(*next), std::move(*previous), to.sessions_max, *two);
    moving_->attach(loop_, network_);
    return {};
  }

  Result<void> run(Progress& shown) {
    const std::uint64_t left = moving_->stats().previous->left;
    Result<void> outcome = fail(Code::internal);
    {
      io::TaskGroup tasks;
      tasks.spawn(show(shown, left));
      io::TaskGroup moving;
      moving.spawn(move(outcome));
      loop_.run();
    }
    moving_->detach(loop_);
    return outcome;
  }
  const store::MovingStore::Progress& progress() const { return progress_; }

 private:
  io::Task<void> move(Result<void>& outcome) {
    outcome = co_await moving_->bring_rest(loop_, progress_, 0);
    loop_.stop();
  }
  io::Task<void> show(Progress& shown, std::uint64_t left) {
    for (;;) {
      shown.show(progress_.seen, std::max(left, progress_.seen));
      co_await io::sleep_for(loop_, kLook);
    }
  }

  SystemClock clock_;
  io::EpollLoop loop_;
  io::Worker resolver_{"resolver"};
  io::SocketNetwork network_{loop_, resolver_};
  std::unique_ptr<store::MovingStore> moving_;
  store::MovingStore::Progress progress_;
};

int copy_here(const store::StoreOptions& from, const store::StoreOptions& to, std::FILE* out,
              std::FILE* err) {
  if (from.kind == store::Kind::memory || to.kind == store::Kind::memory)
    return say(err, {.code = Code::invalid_argument,
                     .context = "a store in memory is in a gateway's process: start that, then try again"});
  Copy copy;
  if (auto opened = copy.open(from, to); !opened) return say(err, opened.error());
  Result<void> moved;
  {
    Progress shown(out, "records");
    moved = copy.run(shown);
  }
  if (!moved) {
    fmt::print(err, "stateway: {} records moved, then it stopped: {}; repeat the command to go on\n",
               copy.progress().moved, moved.error().context);
    return kExitFailed;
  }
  fmt::print(out, "{} records moved from {} to {}; nothing is left\n", copy.progress().moved, name_of(from),
             name_of(to));
  return kExitDone;
}

/// Looks on until the gateway has moved the rest; it had moved `before` when that began.
int copy_by_gateway(AdminClient& client, std::int64_t before, std::FILE* out, std::FILE* err) {
  std::int64_t moved = 0;
  {
    Progress shown(out, "records");
    for (;;) {
      const auto status = client.call("GET", "/v1/status");
      if (!status) return say(err, status.error());
      const Answer previous = Answer::parse(*status).member("store").member("previous");
      if (previous.absent())
        return say(err, {.code = Code::conflict,
                         .context = "the gateway at " + client.name() + " has no [store.previous] any more"});
      moved = previous.number("moved").value_or(before) - before;
      const std::int64_t left = previous.number("left").value_or(0);
      shown.show(static_cast<std::uint64_t>(moved), static_cast<std::uint64_t>(moved + left));
      const std::string_view copying = previous.text("copying");
      if (copying == "done") break;
      if (copying != "running")
        return say(err, {.code = Code::bad_response,
                         .context = "the gateway at " + client.name() +
                                    " has stopped moving, see its log; repeat the command to go on"});
      std::this_thread::sleep_for(kLook);  // nothing tells of progress
    }
  }
  fmt::print(out, "{} records moved by the gateway at {}; nothing is left\n", moved, client.name());
  return kExitDone;
}

/// A file that is there under its name only when all of it is on the disk.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  ~NewFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(part_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Result<void> open() {
    std::error_code error;
    if (fs::exists(path_, error))
      return fail(Code::invalid_argument, Side::client, path_ + " is there already: name another file");
    // Sessions are nobody's business but the operator's.
    fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd_ < 0 ? failed("make") : Result<void>{};
  }
  Result<void> write(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t n = ::write(fd_, octets.data(), octets.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write");
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  Result<void> finish() {
    if (fsync(fd_) != 0) return failed("write");
    if (std::rename(part_.c_str(), path_.c_str()) != 0) return failed("rename");
    close(std::exchange(fd_, -1));
    return {};
  }
  const std::string& path() const { return path_; }
  const std::string& part() const { return part_; }

 private:
  Result<void> failed(std::string_view what) const {
    return fail(Code::io, Side::self, fmt::format("cannot {} {}: {}", what, part_, std::strerror(errno)));
  }

  const std::string path_;
  const std::string part_;
  int fd_ = -1;
};

Result<void> back_up_here(const config::Config& config, const wire::Client::Sink& into) {
  if (config.store.kind != store::Kind::embedded)
    return fail(
        Code::invalid_argument, Side::client,
        fmt::format("no gateway runs, and a store of kind {} has backups of its own", name_of(config.store)));
  if (!fs::exists(config.store.path))
    return fail(Code::io, Side::self, "there is no store in " + config.store.path);
  const SystemClock clock;
  auto opened = open_store(config.store, clock);
  if (!opened) return pass_on(std::move(opened));
  const auto moment = (*opened)->moment();
  CHECK(moment != nullptr);
  store::BackupWriter writer;
  if (auto taken = into(writer.begin(moment->taken_at())); !taken) return taken;
  for (;;) {
    const auto page = moment->next();
    if (!page) return std::unexpected(page.error());
    if (page->empty()) return into(writer.end());
    if (auto taken = into(writer.records(*page)); !taken) return taken;
  }
}

/// By the gateway if one runs; a command that names one by --admin wants no other.
Result<std::string> fetch_backup(const Command& command, const std::optional<config::Config>& config,
                                 const wire::Client::Sink& into) {
  auto api = find_admin_api(command.admin, config ? &*config : nullptr);
  if (!api) return pass_on(std::move(api));
  AdminClient client(std::move(*api));
  auto fetched = client.download("POST", "/v1/store/backup", into);
  if (fetched) return "the gateway at " + client.name();
  if (fetched.error().code != Code::connect_failed || !config) return pass_on(std::move(fetched));
  auto read = back_up_here(*config, into);
  if (!read) return pass_on(std::move(read));
  return "the store " + name_of(config->store) + "; no gateway runs";
}

std::string backup_path(const std::string& wanted) {
  if (!fs::is_directory(wanted)) return wanted;
  std::string time = time_of(SystemClock().now());
  return (fs::path(wanted) / ("stateway-" + time + ".backup")).string();
}

}  // namespace

int copy_store(const Command& command, std::FILE* out, std::FILE* err) {
  if (!command.from.empty()) {
    const auto from = store_named(command.from);
    if (!from) return say(err, from.error());
    const auto to = store_named(command.to);
    if (!to) return say(err, to.error());
    return copy_here(*from, *to, out, err);
  }
  const auto config = read_config(command, err);
  if (!config) return config.error();
  auto api = find_admin_api(command.admin, *config ? &**config : nullptr);
  if (!api) return say(err, api.error());
  AdminClient client(std::move(*api));
  const auto begun = client.call("POST", "/v1/store/copy");
  if (begun) return copy_by_gateway(client, Answer::parse(*begun).number("moved").value_or(0), out, err);
  if (begun.error().code != Code::connect_failed || !*config) return say(err, begun.error());
  if (!(*config)->previous_store)
    return say(err, {.code = Code::invalid_argument,
                     .context = command.config_path + " has no [store.previous]: name the store to move out "
                                                      "of there, or by --from"});
  return copy_here(*(*config)->previous_store, (*config)->store, out, err);
}

int back_up_store(const Command& command, std::FILE* out, std::FILE* err) {
  const auto config = read_config(command, err);
  if (!config) return config.error();
  NewFile file(backup_path(command.file));
  if (auto opened = file.open(); !opened) return say(err, opened.error());
  std::uint64_t octets = 0;
  Result<std::string> source;
  {
    Progress shown(out, "octets");
    const wire::Client::Sink into = [&](std::string_view piece) {
      octets += piece.size();
      shown.show(octets, 0);
      return file.write(piece);
    };
    source = fetch_backup(command, *config, into);
  }
  if (!source) return say(err, source.error());
  const auto checked = store::verify_backup(file.part());
  if (!checked) return say(err, checked.error());
  if (auto finished = file.finish(); !finished) return say(err, finished.error());
  fmt::print(out, "{} records as of {} in {}, by {}\n", checked->records, time_of(checked->taken_at),
             file.path(), *source);
  return kExitDone;
}

int restore_store(const Command& command, std::FILE* out, std::FILE* err) {
  const auto config = read_config(command, err);
  if (!config) return config.error();
  const store::StoreOptions& options = (*config)->store;
  if (options.kind != store::Kind::embedded)
    return say(err, {.code = Code::invalid_argument,
                     .context = "only an embedded store can be restored; [store] is " + name_of(options)});
  const auto restored = store::restore_backup(command.file, options);
  if (!restored) return say(err, restored.error());
  fmt::print(out, "{} records as of {} are in {}; start the gateway\n", restored->records,
             time_of(restored->taken_at), options.path);
  return kExitDone;
}

}  // namespace stateway
