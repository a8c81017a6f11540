#include <algorithm>
#include <optional>

#include "admin/query.h"
#include "admin/resources.h"
#include "base/bytes.h"
#include "base/log.h"
#include "session/record.h"
#include "session/ticket.h"
#include "session/tombstone.h"

namespace stateway::admin {
namespace {

constexpr std::size_t kLimitDefault = 100;
constexpr std::size_t kLimitMax = 1000;
// Records come with their documents, so a page is gathered in steps that bound what is in memory at once …
constexpr std::size_t kRecordsPerStep = 32;
// … and looks at a bounded number of records, most of which may have ended; a page may be short for that.
constexpr std::size_t kStepsMax = 128;
// Each conflict is an exchange that committed meanwhile.
constexpr int kEndAttempts = 16;

struct PageRequest {
  store::Query query;
  std::string kind;  // empty: any
  std::size_t limit = kLimitDefault;
};

std::unexpected<Error> no_such_session() { return fail(Code::not_found, Side::client, "no such session"); }

std::unexpected<Error> refuse(std::string sentence) {
  return fail(Code::invalid_argument, Side::client, std::move(sentence));
}

/// The store's key of the session with this public id; nullopt for what is no public id.
std::optional<std::string> key_of(std::string_view public_id) {
  std::optional<std::string> key = base64url_decode(public_id);
  if (key && key->size() != session::Ticket::kIdBytes) return std::nullopt;
  return key;
}

Result<PageRequest> read_page_request(std::string_view query) {
  auto parameters = parse_query(query);
  if (!parameters) return pass_on(std::move(parameters));
  PageRequest page;
  for (Parameter& parameter : *parameters) {
    if (parameter.name == "principal") {
      page.query.principal = std::move(parameter.value);
    } else if (parameter.name == "kind") {
      page.kind = std::move(parameter.value);
    } else if (parameter.name == "after") {
      if (parameter.value.empty()) continue;
      std::optional<std::string> key = key_of(parameter.value);
      if (!key) return refuse("after must be the id of a session");
      page.query.after = std::move(*key);
    } else if (parameter.name == "limit") {
      const auto limit = parse_decimal(parameter.value);
      if (!limit || *limit < 1 || *limit > kLimitMax) return refuse("limit must be a number from 1 to 1000");
      page.limit = static_cast<std::size_t>(*limit);
    } else {
      return refuse("the parameters are principal, kind, after and limit");
    }
  }
  return page;
}

void add_members(JsonWriter& json, std::string_view id, const store::Record& record,
                 const session::SessionRecord& session) {
  json.member("id", id);
  json.member("kind", session.kind);
  json.member("lives_in", session::home_name(session.home));
  json.member("version", record.revision);
  json.member_time("created", session.created);
  json.member_time("expires_at", record.expires_at);
  json.member_time("absolute", session.absolute_expires);
  json.member_or_null("principal", record.principal);
  json.member("bytes", session.document.size());
}

/// Adds the entry unless it is a session that has ended, or of another kind than the one asked for.
bool add_entry(JsonWriter& json, const store::Entry& entry, std::string_view kind) {
  if (entry.record.state == store::State::ended) return false;
  const std::string id = base64url_encode(as_bytes(entry.key));
  const auto session = session::decode_record(entry.record.value);
  if (!session) {
    log::warn("left out of the list of sessions", {{"session", id}, {"reason", session.error().context}});
    return false;
  }
  if (!kind.empty() && session->kind != kind) return false;
  json.begin_object();
  add_members(json, id, entry.record, *session);
  json.end_object();
  return true;
}

/// The record of a session that has not ended; not_found for every other.
io::Task<Result<store::Record>> load_known(const Sources& sources, std::string_view public_id) {
  std::optional<std::string> key = key_of(public_id);
  if (!key) co_return no_such_session();
  auto loaded = co_await sources.store.load(sources.loop, std::move(*key));
  if (!loaded) co_return pass_on(std::move(loaded));
  if (!*loaded || (*loaded)->state == store::State::ended) co_return no_such_session();
  co_return std::move(**loaded);
}

/// How long clients may come with cookies that hold a session's document; 0: sessions have none. Only the
/// clients know of those cookies: the placement may have been another one before this process started.
std::chrono::milliseconds sealed_for(const Sources& sources) {
  const std::vector<session::SessionOptions>& kinds = sources.in_force.snapshot->sessions;
  std::chrono::milliseconds longest{0};
  if (std::ranges::none_of(kinds, &session::SessionOptions::has_document)) return longest;
  longest = session::longest_absolute(kinds);
  // Those from before a reload keep the hard expiry they began with.
  const WallMillis now = sources.clock.now();
  for (const auto& [kind, outside] : sources.in_force.outside)
    longest = std::max(longest, std::chrono::milliseconds(outside.in_cookies_until - now));
  return longest;
}

/// What ends a session in its cookie, of which the store knows nothing.
store::Record tombstone_of_unknown(WallMillis now, std::chrono::milliseconds lifetime) {
  constexpr std::size_t kHashBytes = 32;
  session::SessionRecord session;
  session.created = now;
  session.absolute_expires = now + lifetime.count();
  session.secret_hash.assign(kHashBytes, '\0');
  return session::tombstone(std::move(session), 0, "");
}

/// The write that ends the session with this key. Errors: not_found; the store's.
io::Task<Result<store::Write>> ending(const Sources& sources, std::string key) {
  auto loaded = co_await sources.store.load(sources.loop, key);
  if (!loaded) co_return pass_on(std::move(loaded));
  std::optional<store::Record>& record = *loaded;
  store::Write write{.key = std::move(key), .expected = record ? record->revision : 0, .record = {}};
  if (!record) {
    const auto lifetime = sealed_for(sources);
    if (lifetime.count() == 0) co_return no_such_session();
    write.record = tombstone_of_unknown(sources.clock.now(), lifetime);
  } else {
    if (record->state == store::State::ended) co_return no_such_session();
    auto session = session::decode_record(record->value);
    if (!session) co_return pass_on(std::move(session));
    write.record = session::tombstone(std::move(*session), record->revision, std::move(record->principal));
  }
  co_return write;
}

}  // namespace

Answer list_sessions(const Call& call) {
  auto page = read_page_request(call.request.target.query);
  if (!page) co_return problem_response(page.error());

  JsonWriter json;
  json.begin_array("sessions");
  std::size_t found = 0;
  bool more = true;
  for (std::size_t step = 0; more && found < page->limit && step < kStepsMax; ++step) {
    page->query.limit = std::min(kRecordsPerStep, page->limit - found);
    store::Query query = page->query;
    const auto entries = co_await call.sources.store.list(call.sources.loop, std::move(query));
    if (!entries) co_return problem_response(entries.error());
    for (const store::Entry& entry : *entries) found += add_entry(json, entry, page->kind) ? 1 : 0;
    more = entries->size() == page->query.limit;
    if (!entries->empty()) page->query.after = entries->back().key;
  }
  json.end_array();
  json.member_or_null("next", more ? base64url_encode(as_bytes(page->query.after)) : "");
  co_return json_response(200, std::move(json));
}

Answer get_session(const Call& call) {
  const auto record = co_await load_known(call.sources, call.names[0]);
  if (!record) co_return problem_response(record.error());
  const auto session = session::decode_record(record->value);
  if (!session) co_return problem_response(session.error());
  JsonWriter json;
  add_members(json, call.names[0], *record, *session);
  json.member_json("document", session->document);
  co_return json_response(200, std::move(json));
}

Answer end_session(const Call& call) {
  const std::string_view id = call.names[0];
  const std::optional<std::string> key = key_of(id);
  if (!key) co_return problem_response(no_such_session().error());
  Error lost{.code = Code::conflict, .side = Side::store, .context = {}};
  for (int attempt = 0; attempt < kEndAttempts; ++attempt) {
    auto write = co_await ending(call.sources, *key);
    if (!write) co_return problem_response(write.error());
    store::Batch batch;
    batch.writes.push_back(std::move(*write));
    const auto committed = co_await call.sources.store.commit(call.sources.loop, std::move(batch));
    if (committed) {
      log::info("session ended at an operator's wish", {{"session", id}, {"peer", call.request.peer}});
      wire::Response response;
      response.status = 204;
      co_return response;
    }
    if (committed.error().code != Code::conflict) co_return problem_response(committed.error());
  }
  co_return problem_response(lost);
}

}  // namespace stateway::admin
