#include <fmt/format.h>

#include "admin/resources.h"
#include "base/log.h"
#include "store/backup.h"

namespace stateway::admin {
namespace {

/// Reads the store on a thread of its own, a page ahead of nobody: as fast as the client takes it.
class BackupSource final : public wire::BodySource {
 public:
  BackupSource(io::Loop& loop, std::unique_ptr<store::Moment> moment)
      : loop_(loop), reading_(std::make_shared<Reading>(std::move(moment))) {}

  io::Task<Result<std::string>> next() override {
    auto read = [reading = reading_] { return reading->next(); };
    auto piece = worker_.run(loop_, std::move(read));
    Result<std::string> out = co_await piece;
    if (!out) log::error("a backup broke off", {{"error", out.error().context}});
    co_return out;
  }

 private:
  // With the worker's job: the client may go while it runs.
  struct Reading {
    explicit Reading(std::unique_ptr<store::Moment> m) : moment(std::move(m)) {}

    Result<std::string> next() {
      if (ended) return std::string();
      std::string out = begun ? std::string() : writer.begin(moment->taken_at());
      begun = true;
      const auto page = moment->next();
      if (!page) return std::unexpected(page.error());
      ended = page->empty();
      return out + (ended ? writer.end() : writer.records(*page));
    }

    std::unique_ptr<store::Moment> moment;
    store::BackupWriter writer;
    bool begun = false;
    bool ended = false;
  };

  io::Loop& loop_;
  std::shared_ptr<Reading> reading_;
  io::Worker worker_{"store-backup"};
};

}  // namespace

Answer back_up_store(const Call& call) {
  const store::Stats stats = call.sources.store.stats();
  if (stats.previous)
    co_return wire::problem_response(
        409, "store-moving", "Sessions are moving",
        fmt::format("{} records are left in the previous store, which a backup would not have: move them "
                    "(stateway store copy), take [store.previous] away, then try again",
                    stats.previous->left));
  auto moment = call.sources.store.moment();
  if (moment == nullptr)
    co_return wire::problem_response(
        409, "no-backup", "There is nothing to back up here",
        fmt::format("a store of kind {} is not backed up by the gateway: use what its own server has",
                    stats.kind));
  log::info("the store is backed up at an operator's wish", {{"peer", call.request.peer}});
  wire::Response response;
  response.fields.emplace_back("Content-Type", "application/octet-stream");
  response.source = std::make_shared<BackupSource>(call.sources.loop, std::move(moment));
  co_return response;
}

Answer copy_store(const Call& call) {
  const auto previous = call.sources.store.stats().previous;  // as it is before
  if (const auto begun = call.sources.move_rest(); !begun)
    co_return wire::problem_response(409, "no-previous-store", "There is no previous store",
                                     begun.error().context);
  JsonWriter json;
  json.member("left", previous ? previous->left : 0);
  json.member("moved", previous ? previous->moved : 0);
  co_return json_response(202, std::move(json));
}

}  // namespace stateway::admin
