#include "oracle.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/bytes.h"
#include "io/task_group.h"
#include "keys.h"
#include "session/record.h"

namespace stateway::sim {
namespace {

namespace json = boost::json;

// The store in memory never suspends, so its answers can be had outside of coroutines.
template <class T>
T at_once(io::Task<T> task) {
  std::optional<T> out;
  static constexpr auto run = [](io::Task<T> t, std::optional<T>& to) -> io::Task<void> { to = co_await t; };
  io::TaskGroup group;
  group.spawn(run(std::move(task), out));
  CHECK(out.has_value());
  return std::move(*out);
}

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

}  // namespace

void Oracle::violation(std::string what) {
  violations_.push_back(at() + what);
  note("VIOLATION " + what);
}

void Oracle::note(std::string_view what) const {
  if (telling_) fmt::print("{}{}\n", at(), what);
}

// "at 12.345 ms: "
std::string Oracle::at() const {
  const std::chrono::duration<double, std::milli> since = loop_.now() - io::SimLoop::kStart;
  return fmt::format("at {:.3f} ms: ", since.count());
}

void Oracle::wrote(const std::string& owner, const std::string& item, lab::Write write) {
  ledger_.record(owner, item, write);
}

void Oracle::arrived(const std::string& request, std::string_view instance, bool once) {
  if (telling_) note(fmt::format("{} sees {}", instance, request));
  const auto [seen, first] = seen_by_.emplace(request, instance);
  if (!first && once)
    violation(fmt::format("request {} reached {} although {} had seen it", request, instance, seen->second));
}

std::optional<std::string> Oracle::document_of(std::string_view cookie) {
  if (const auto ticket = session::parse_ticket(cookie)) return recorded(ticket->id(), std::nullopt);
  const auto contents = session::unseal(key_set().sealing(0), "s", cookie);
  auto sealed = contents ? session::decode_sealed(*contents) : std::nullopt;
  if (!sealed) return std::nullopt;
  const std::string id(sealed->ticket.id());
  return recorded(id, std::move(sealed));
}

// By what the record says: it has the document, or knows since which version a cookie has it.
std::optional<std::string> Oracle::recorded(std::string_view id,
                                            std::optional<session::SealedSession> sealed) {
  auto& loop = const_cast<io::SimLoop&>(loop_);
  auto loaded = at_once(durable_.load(loop, std::string(id)));
  if (!loaded) return std::nullopt;
  const session::SealedDocument* held = sealed ? sealed->document() : nullptr;
  if (*loaded) {
    const store::Record& record = **loaded;
    if (record.state == store::State::ended) return std::nullopt;
    const bool newer = held != nullptr && held->version >= record.revision;
    auto decoded = session::decode_record(record.value);
    if (!decoded) return std::nullopt;
    if (record.state == store::State::live || !newer) return std::move(decoded->document);
  }
  if (held == nullptr) return std::nullopt;
  return held->document;
}

bool Oracle::holds(std::string_view cookie, const std::string& owner, std::string_view item) {
  const auto document = document_of(cookie);
  if (!document) return known(owner).may_have_ended();
  return document->find(quoted(item)) != std::string::npos;
}

bool Oracle::counts(std::string_view cookie, const std::string& owner, std::int64_t at_least) {
  const auto document = document_of(cookie);
  if (!document) return known(owner).may_have_ended();
  const json::value parsed = json::parse(*document);
  const json::value* n = parsed.as_object().if_contains("n");
  return n != nullptr && n->as_int64() >= at_least;
}

bool Oracle::has_ended(std::string_view cookie) { return !document_of(cookie); }

void Oracle::verify_document(const std::string& owner, std::string_view document) {
  const json::object parsed = json::parse(document).as_object();
  const Known& k = known(owner);
  std::vector<std::string> items{kBeginning};
  for (const json::value& item : parsed.at("list").as_array()) items.emplace_back(item.as_string());
  for (const auto& [item, value] : parsed.at("m").as_object()) items.emplace_back(item);
  const lab::Findings findings = ledger_.verify(owner, items);
  if (!findings.clean()) violation(fmt::format("session {}: {}", owner, findings.text()));
  const std::int64_t n = parsed.at("n").as_int64();
  if (n < k.counted || n > k.counted + k.may_count)
    violation(fmt::format("session {} counted to {}, of {} acknowledged and {} unknown increments", owner, n,
                          k.counted, k.may_count));
  if (k.ended) violation(fmt::format("session {} has ended, and lives", owner));
}

// Sessions in cookies; those that the store has were looked at there.
void Oracle::verify_kept(std::set<std::string>& found) {
  for (const auto& [owner, cookie] : kept_) {
    if (found.contains(owner)) continue;
    const auto document = document_of(cookie);
    if (!document) continue;
    found.insert(owner);
    const json::value parsed = json::parse(*document);
    const json::value* name = parsed.as_object().if_contains("owner");
    if (name == nullptr || name->as_string() != owner) {
      violation(fmt::format("the cookie of {} holds {}", owner, *document));
      continue;
    }
    verify_document(owner, *document);
  }
}

void Oracle::verify() {
  auto& loop = const_cast<io::SimLoop&>(loop_);
  const auto entries = at_once(durable_.list(loop, {.limit = 100'000}));
  CHECK(entries.has_value());
  std::set<std::string> found;
  for (const store::Entry& entry : *entries) {
    if (entry.record.state != store::State::live) continue;
    auto record = session::decode_record(entry.record.value);
    CHECK(record.has_value());
    const json::value document = json::parse(record->document);
    const json::value* owner = document.as_object().if_contains("owner");
    if (owner == nullptr) {
      violation("a session without an owner: " + record->document);
      continue;
    }
    const std::string name(owner->as_string());
    if (!found.insert(name).second) violation(fmt::format("session {} is there twice", name));
    verify_document(name, record->document);
  }
  verify_kept(found);
  for (const auto& [owner, k] : known_)
    if (k.begun && !k.may_have_ended() && !found.contains(owner) && !(cookies_ && (k.renewing > 0 || k.lost)))
      violation(fmt::format("session {} was acknowledged and is gone", owner));
}

}  // namespace stateway::sim
