#include "planted.h"

#include <boost/json.hpp>

#include "session/record.h"

namespace stateway::sim {
namespace {

// The last item of the list once more, now and then.
void repeat_last_item(store::Record& record) {
  auto session = session::decode_record(record.value);
  if (!session) return;
  boost::json::value document = boost::json::parse(session->document);
  auto* list = document.as_object().if_contains("list");
  if (list == nullptr || list->as_array().empty()) return;
  list->as_array().push_back(list->as_array().back());
  session->document = boost::json::serialize(document);
  record.value = session::encode_record(*session);
}

}  // namespace

io::Task<Result<std::optional<store::Record>>> Planted::load(io::Loop& loop, std::string key) {
  if (bug_ == Bug::hang && io::happens(random_, 0.01)) co_await io::SleepUntil(loop, io::kNoDeadline);
  auto loaded = co_await inner_.load(loop, std::move(key));
  if (bug_ != Bug::wrong_document || !loaded || !*loaded) co_return loaded;
  auto session = session::decode_record((*loaded)->value);
  if (!session) co_return loaded;
  std::string own = session->document;
  if (!last_document_.empty() && io::happens(random_, 0.02)) {
    session->document = last_document_;
    (*loaded)->value = session::encode_record(*session);
  }
  last_document_ = std::move(own);
  co_return loaded;
}

io::Task<void> Planted::commit_later(io::Loop& loop, store::Batch batch) {
  (void)co_await inner_.commit(loop, std::move(batch));
}

io::Task<Result<store::Committed>> Planted::commit(io::Loop& loop, store::Batch batch) {
  const store::Revision revision = batch.writes.front().record ? batch.writes.front().record->revision : 0;
  if (bug_ == Bug::commit_after_response) {
    late_.spawn(commit_later(loop, std::move(batch)));
    co_return store::Committed{revision};
  }
  if (bug_ == Bug::undead && batch.writes.front().record &&
      batch.writes.front().record->state == store::State::ended)
    co_return store::Committed{revision};
  if (bug_ == Bug::applied_twice && batch.writes.front().record && io::happens(random_, 0.02))
    repeat_last_item(*batch.writes.front().record);
  auto committed = co_await inner_.commit(loop, std::move(batch));
  if (bug_ == Bug::lost_on_conflict && !committed && committed.error().code == Code::conflict)
    co_return store::Committed{revision};
  co_return committed;
}

}  // namespace stateway::sim
