// Sessions behind a Stateway gateway, for services in C++20: what a request brings as a JSON object, and what
// its answer sends back. The same service runs on all four placements. Header-only; needs Boost.JSON; knows
// no HTTP server (README.md shows how to join it to one).
#pragma once

#include <charconv>
#include <cstdlib>
#include <optional>
#include <random>
#include <type_traits>
#include <vector>

#include "stateway/documents.h"
#include "stateway/parse.h"
#include "stateway/patch.h"

namespace stateway::adapter {

struct Options {
  std::string token;  // Stateway-Token of each request; empty: it is not asked for
  std::size_t copies_bytes_max = 64 * 1024 * 1024;   // placement "hybrid": documents kept; 0: none
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // placement "instance": above it the oldest sessions go
  std::chrono::seconds memory_idle{24 * 3600};       // and those that were not used for so long
  std::function<Clock::time_point()> now = Clock::now;

  /// With what the gateway gave the processes it started: STATEWAY_TOKEN.
  static Options from_environment() {
    Options out;
    if (const char* token = std::getenv("STATEWAY_TOKEN")) out.token = token;
    return out;
  }
};

using Field = std::pair<std::string, std::string>;

/// A call that the service must make on the session's behalf before it goes on; nobody but the gateway is
/// called.
struct Call {
  std::string method;        // GET or PATCH
  std::string url;           // http://host:port/…
  std::string content_type;  // of the body; empty without one
  std::string body;
};

/// The answer to send in place of the service's own.
struct Refusal {
  int status = 0;
  std::string reason;  // for people; without secrets
};

class Sessions;

/// The session of one request. Belongs to it alone; must not outlive its Sessions.
///
///   open → (due → answered) → refusal? → the service's own work → finish → (due → answered) → refusal? →
///   fields
class Session {
 public:
  /// A gateway is in front and the route has a session. Otherwise it is empty, and changes go nowhere.
  bool exists() const { return !id_.empty(); }
  /// Stays for the session's life. Not a credential.
  const std::string& id() const { return id_; }
  /// Commits so far; 0: new, or the placement counts none.
  Version version() const { return version_; }
  /// Verified claims of an authenticated request; empty without.
  json::object principal() const;

  /// The member of that name, or nullptr; valid until the next change.
  const json::value* get(std::string_view name) const { return data().if_contains(name); }
  /// `value` is JSON, or whatever json::value_from takes: numbers, strings, containers.
  template <class T>
  void set(std::string_view name, T&& value) {
    if constexpr (std::is_convertible_v<T, json::value>)
      edit()[name] = std::forward<T>(value);
    else
      edit()[name] = json::value_from(std::forward<T>(value));
  }
  void erase(std::string_view name) { edit().erase(name); }
  /// The whole document, to read and to change. What is sent is the difference.
  const json::object& data() const { return edited_ ? *edited_ : *given_; }
  json::object& edit();

  /// A new cookie from this answer on, for a log-in; `principal`: who logged in, so that all sessions of that
  /// user can be listed and ended: UTF-8 without control characters, or the answer is a refusal.
  void renew(std::string principal = "") {
    renew_ = true;
    new_principal_ = std::move(principal);
  }
  /// Destroys the session.
  void end() { end_ = true; }

  /// The call that must be made now, or nullptr.
  const Call* due() const { return call_ ? &*call_ : nullptr; }
  /// Its outcome; 0: there was no answer.
  void answered(int status, std::string body);
  const Refusal* refusal() const { return refusal_ ? &*refusal_ : nullptr; }
  /// The service's answer is ready, with this status; the session changes no more.
  void finish(int status);
  /// What the answer must carry, a refusal as well.
  const std::vector<Field>& fields() const { return fields_; }

 private:
  friend class Sessions;
  explicit Session(Sessions& sessions) : sessions_(sessions) {}

  void take(std::string_view text);
  void take(Document document, std::size_t bytes);
  void refuse(int status, std::string reason) { refusal_ = Refusal{status, std::move(reason)}; }
  void refuse_all(int status, std::string reason) {  // what was to be said of the session as well
    fields_.clear();
    refuse(status, std::move(reason));
  }
  static std::size_t bytes_of(const json::object& document) { return json::serialize(document).size(); }
  bool names_principal() const;
  void add_operation();
  void conclude();

  Sessions& sessions_;
  std::string id_, url_, claims_;
  Version version_ = 0;
  Clock::time_point began_{};
  bool has_version_ = false;  // there is a document at the gateway; otherwise it lives here
  Document given_ = std::make_shared<const json::object>();
  std::size_t given_bytes_ = 2;
  std::optional<Memory::Leaving> leaving_;  // what the gateway does not have yet
  std::optional<json::object> edited_;
  bool renew_ = false, end_ = false;
  std::string new_principal_;

  std::optional<Call> call_;
  std::optional<Refusal> refusal_;
  std::vector<Field> fields_;
  int status_ = 0;  // from finish on
  std::size_t patch_bytes_ = 0;
};

/// What the sessions of a process share: one for each process. Safe to use from many threads.
class Sessions {
 public:
  explicit Sessions(Options options)
      : options_(std::move(options)),
        copies_(options_.copies_bytes_max),
        memory_(options_.memory_bytes_max, options_.memory_idle) {}

  /// The session of a request. `header(name)` is the value of that request header as a string_view, empty
  /// without one; names are to be compared without regard to case.
  template <class Header>
  Session open(const Header& header);
  /// For servers that may block: makes the calls that are due. `fetch(call)` returns status and body as a
  /// pair; status 0 when there was no answer.
  template <class Header, class Fetch>
  Session open(const Header& header, const Fetch& fetch) {
    Session session = open(header);
    make_calls(session, fetch);
    return session;
  }
  /// As Session::finish.
  template <class Fetch>
  static void finish(Session& session, int status, const Fetch& fetch) {
    session.finish(status);
    make_calls(session, fetch);
  }

 private:
  friend class Session;
  template <class Fetch>
  static void make_calls(Session& session, const Fetch& fetch) {
    while (const Call* call = session.due()) {
      auto [status, body] = fetch(*call);
      session.answered(status, std::move(body));
    }
  }
  bool is_token(std::string_view text) const;
  static std::string random_token();

  const Options options_;
  const std::string process_ = random_token();  // names this process to the gateway (Stateway-Session-Hold)
  Copies copies_;
  Memory memory_;
};

// Takes the same time whatever is wrong with it.
inline bool Sessions::is_token(std::string_view text) const {
  const std::string& token = options_.token;
  unsigned differs = text.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < token.size(); ++i)
    differs |=
        static_cast<unsigned char>(token[i]) ^ static_cast<unsigned char>(i < text.size() ? text[i] : 0);
  return differs == 0;
}

inline std::string Sessions::random_token() {
  // tidy: random: this stands alone in programs of others, and its tests need no seed.
  std::random_device random;
  std::string out;
  for (int i = 0; i < 32; ++i) out.push_back("0123456789abcdef"[random() & 0xf]);
  return out;
}

template <class Header>
Session Sessions::open(const Header& header) {
  Session out(*this);
  out.began_ = options_.now();
  if (!options_.token.empty() && !is_token(header("Stateway-Token"))) {
    out.refuse(403, "Only the gateway may ask");
    return out;
  }
  out.id_ = header("Stateway-Session-Id");
  out.url_ = header("Stateway-Session-Url");
  out.claims_ = header("Stateway-Principal");
  if (out.id_.empty()) return out;
  const std::string_view version = header("Stateway-Session-Version");
  out.has_version_ = !version.empty();
  std::from_chars(version.data(), version.data() + version.size(), out.version_);
  if (!out.has_version_) {
    if (Document kept = memory_.find(out.id_, out.began_)) out.given_ = std::move(kept);
    return out;
  }
  const std::string_view text = header("Stateway-Session");
  const std::string_view held = header("Stateway-Session-Held");
  if (!text.empty()) {
    out.take(text);
  } else if (!held.empty()) {
    Copies::Found copy;
    if (held == process_) copy = copies_.find(out.id_, out.version_);
    if (copy.document != nullptr) {
      out.take(std::move(copy.document), copy.bytes);
    } else {
      out.refuse(503, "This process does not have the session");
      out.fields_.emplace_back("Stateway-Session-Op", "need");
    }
  } else {
    out.call_ = Call{"GET", out.url_, "", ""};
  }
  return out;
}

inline json::object Session::principal() const {
  std::optional<json::value> claims = parse(claims_);
  return claims && claims->is_object() ? std::move(claims->get_object()) : json::object();
}

inline json::object& Session::edit() {
  if (!edited_) edited_ = *given_;
  return *edited_;
}

inline void Session::take(std::string_view text) {
  std::optional<json::value> document = parse(text);
  if (!document || !document->is_object()) return refuse(503, "The gateway sent no session");
  take(std::make_shared<const json::object>(std::move(document->get_object())), text.size());
}

inline void Session::take(Document document, std::size_t bytes) {
  given_ = std::move(document);
  given_bytes_ = bytes;
  leaving_ = sessions_.memory_.leaving(id_, version_, began_);
  if (leaving_) edited_ = combined(*leaving_->base, *leaving_->document, *given_);
}

inline void Session::answered(int status, std::string body) {
  const bool was_get = call_->method == "GET";
  call_.reset();
  if (was_get && status == 200) return take(body);
  if (was_get) return refuse(503, "The session could not be fetched");
  if (status < 200 || status > 299) return refuse_all(500, "The session could not be saved");
  conclude();
}

inline bool Session::names_principal() const {
  for (const unsigned char c : new_principal_)
    if (c < 0x20 || c == 0x7f) return false;
  return true;
}

inline void Session::add_operation() {
  if (end_) {
    fields_.emplace_back("Stateway-Session-Op", "end");
  } else if (renew_) {
    fields_.emplace_back("Stateway-Session-Op", "renew");
    if (!new_principal_.empty()) fields_.emplace_back("Stateway-Session-Principal", new_principal_);
  }
}

inline void Session::finish(int status) {
  if (!exists() || refusal_) return;
  status_ = status;
  if (!names_principal()) return refuse(500, "The user's name holds control characters");
  add_operation();
  std::optional<Patch> patch;
  if (edited_ && !end_) patch = difference(*given_, *edited_);
  if (patch) patch_bytes_ = patch->text.size();
  if (!patch || !has_version_) return conclude();
  constexpr std::size_t kHeaderBytesMax = 64 * 1024;
  if (patch_bytes_ <= kHeaderBytesMax) {
    fields_.emplace_back("Stateway-Session-Patch", std::move(patch->text));
    return conclude();
  }
  call_ = Call{"PATCH", url_, std::string(patch->content_type()), std::move(patch->text)};
}

// What this process remembers.
inline void Session::conclude() {
  const Clock::time_point now = sessions_.options_.now();
  const bool changes = patch_bytes_ > 0;
  if (!has_version_) {
    if (end_)
      sessions_.memory_.forget(id_);
    else if (changes && !sessions_.memory_.change(id_, given_, *edited_, bytes_of(*edited_), now))
      refuse_all(500, "The session is larger than memory_bytes_max");
    return;
  }
  if (end_) {
    sessions_.memory_.forget(id_);
    return sessions_.copies_.forget(id_);
  }
  if (leaving_) sessions_.memory_.send(id_, version_, leaving_->document);
  const Version version = version_ + (changes || renew_ ? 1 : 0);
  // An error may be answered by another instance in our place, unless it says something of the session.
  if (sessions_.options_.copies_bytes_max == 0 || version == 0 || (status_ >= 500 && fields_.empty())) return;
  Document document = changes ? std::make_shared<const json::object>(std::move(*edited_)) : given_;
  if (changes) edited_.reset(), given_ = document;
  const std::size_t bytes = changes ? bytes_of(*document) : given_bytes_;
  if (sessions_.copies_.keep(id_, version, std::move(document), bytes, !changes && !renew_, began_, now))
    fields_.emplace_back("Stateway-Session-Hold", sessions_.process_);
}

}  // namespace stateway::adapter
