#include "stateway/session_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "stateway/admin_client.h"
#include "stateway/answer.h"
#include "stateway/columns.h"

namespace stateway {
namespace {

constexpr std::size_t kPage = 1000;  // what the admin API gives at most

int say(std::FILE* err, const Error& error) {
  fmt::print(err, "stateway: {}\n", error.context);
  return error.code == Code::invalid_argument ? kExitBadUsage : kExitFailed;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string page_target(const Command& command, std::size_t limit, std::string_view after) {
  std::string target = fmt::format("/v1/sessions?limit={}", limit);
  if (!command.principal.empty()) target += "&principal=" + percent_encoded(command.principal);
  if (!command.kind.empty()) target += "&kind=" + percent_encoded(command.kind);
  if (!after.empty()) target += fmt::format("&after={}", after);
  return target;
}

std::string number_or_dash(const Answer& session, std::string_view name) {
  const auto number = session.number(name);
  return number ? fmt::format("{}", *number) : "-";
}

std::string text_or_dash(const Answer& session, std::string_view name) {
  const std::string_view text = session.text(name);
  return text.empty() ? "-" : printable(text);
}

Row row_of(const Answer& session) {
  return {text_or_dash(session, "id"),        text_or_dash(session, "kind"),
          text_or_dash(session, "lives_in"),  text_or_dash(session, "principal"),
          number_or_dash(session, "version"), to_the_second(session.text("expires_at")),
          number_or_dash(session, "bytes")};
}

/// Prints sessions as they come, for people or for programs.
class Printer {
 public:
  Printer(std::FILE* out, bool json) : out_(out), json_(json) {
    if (json_) fmt::print(out_, "{{\"sessions\":[");
  }
  void page(const std::vector<Answer>& sessions) {
    if (json_) {
      for (const Answer& session : sessions)
        fmt::print(out_, "{}{}", count_++ > 0 ? "," : "", session.json());
      return;
    }
    std::vector<Row> rows;
    for (const Answer& session : sessions) rows.push_back(row_of(session));
    if (!rows.empty()) columns_.print(rows);
    count_ += rows.size();
  }
  /// `kinds` are those of /v1/status whose sessions were asked for.
  void end(const std::vector<Answer>& kinds, bool all);
  std::size_t count() const { return count_; }

 private:
  std::FILE* const out_;
  const bool json_;
  std::size_t count_ = 0;
  Columns columns_{out_, {"ID", "KIND", "LIVES IN", "PRINCIPAL", "VERSION", "IDLE UNTIL", "OCTETS"}};
};

/// "12 of shop, unknown of cart"; empty when there are none.
std::string still_to_move(const std::vector<Answer>& kinds) {
  std::string out;
  for (const Answer& kind : kinds) {
    const auto to_move = kind.number("to_move");
    if (to_move == 0) continue;
    const std::string number = to_move                           ? fmt::format("{}", *to_move)
                               : kind.text("counted_at").empty() ? "not counted yet"
                                                                 : "unknown";
    out += fmt::format("{}{} of {}", out.empty() ? "" : ", ", number, printable(kind.text("kind")));
  }
  return out;
}

void Printer::end(const std::vector<Answer>& kinds, bool all) {
  if (json_) {
    fmt::print(out_, "],\"count\":{},\"all\":{},\"kinds\":[", count_, all);
    for (std::size_t i = 0; i < kinds.size(); ++i)
      fmt::print(out_, "{}{}", i > 0 ? "," : "", kinds[i].json());
    fmt::print(out_, "]}}\n");
    return;
  }
  const std::string moving = still_to_move(kinds);
  fmt::print(out_, "{} {}{}; still to move: {}\n", count_, count_ == 1 ? "session" : "sessions",
             all ? "" : ", and there are more", moving.empty() ? "none" : moving);
}

/// The document exactly as it is kept: the last member, and no text before it can hold this name.
std::string document_of(std::string_view body) {
  constexpr std::string_view kName = "\"document\":";
  const std::size_t at = body.find(kName);
  const std::size_t end = body.rfind('}');
  if (at == std::string_view::npos || end < at + kName.size()) return "-";
  return printable(body.substr(at + kName.size(), end - at - kName.size()));
}

/// Sessions of a kind that the configuration no longer has are listed as well, while the store has any.
Result<bool> has_sessions(AdminClient& client, const Command& command) {
  std::string after;
  do {
    const auto body = client.call("GET", page_target(command, kPage, after));
    if (!body) return fail(body.error().code, body.error().side, body.error().context);
    const Answer page = Answer::parse(*body);
    if (!page.elements("sessions").empty()) return true;
    after = page.text("next");
  } while (!after.empty());
  return false;
}

std::string names_of(const std::vector<Answer>& kinds) {
  std::string out;
  for (const Answer& kind : kinds)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", printable(kind.text("kind")));
  return out.empty() ? "none" : out;
}

}  // namespace

int list_sessions(const Command& command, std::FILE* out, std::FILE* err) {
  auto client = AdminClient::open(command, err);
  if (!client) return client.error();
  const auto status = (*client)->call("GET", "/v1/status");
  if (!status) return say(err, status.error());
  std::vector<Answer> kinds = Answer::parse(*status).elements("sessions");
  if (!command.kind.empty()) {
    const std::string known = names_of(kinds);
    std::erase_if(kinds, [&](const Answer& kind) { return kind.text("kind") != command.kind; });
    const Result<bool> has = kinds.empty() ? has_sessions(**client, command) : true;
    if (!has) return say(err, has.error());
    if (!*has) {
      fmt::print(err, "stateway: there is no kind of sessions named {}; the gateway has: {}\n",
                 printable(command.kind), known);
      return kExitBadUsage;
    }
  }

  Printer printer(out, command.json);
  std::string after;
  for (;;) {
    const std::size_t most = command.limit == 0 ? kPage : std::min(kPage, command.limit - printer.count());
    const auto body = (*client)->call("GET", page_target(command, most, after));
    if (!body) return say(err, body.error());
    const Answer page = Answer::parse(*body);
    printer.page(page.elements("sessions"));
    after = page.text("next");
    if (after.empty() || printer.count() == command.limit) break;
  }
  printer.end(kinds, after.empty());
  return kExitDone;
}

int show_session(const Command& command, std::FILE* out, std::FILE* err) {
  auto client = AdminClient::open(command, err);
  if (!client) return client.error();
  const auto body = (*client)->call("GET", "/v1/sessions/" + command.ids.front());
  if (!body && body.error().code == Code::not_found) {
    fmt::print(err, "stateway: the store has no session {}: see stateway session list\n",
               command.ids.front());
    return kExitFailed;
  }
  if (!body) return say(err, body.error());
  if (command.json) {
    fmt::print(out, "{}", *body);
    return kExitDone;
  }
  const Answer session = Answer::parse(*body);
  const auto line = [out](std::string_view name, std::string_view text) {
    fmt::print(out, "{:<11} {}\n", name, text);
  };
  line("id", text_or_dash(session, "id"));
  line("kind", text_or_dash(session, "kind"));
  line("lives in", text_or_dash(session, "lives_in"));
  line("principal", text_or_dash(session, "principal"));
  line("version", number_or_dash(session, "version"));
  line("created", to_the_second(session.text("created")));
  line("idle until", to_the_second(session.text("expires_at")));
  line("ends", to_the_second(session.text("absolute")));
  line("octets", number_or_dash(session, "bytes"));
  line("document", document_of(*body));
  return kExitDone;
}

int end_sessions(const Command& command, std::FILE* out, std::FILE* err) {
  auto client = AdminClient::open(command, err);
  if (!client) return client.error();
  int exit_code = kExitDone;
  for (const std::string& id : command.ids) {
    const auto ended = (*client)->call("DELETE", "/v1/sessions/" + id);
    if (ended) {
      fmt::print(out, "ended {}\n", id);
      continue;
    }
    exit_code = kExitFailed;
    if (ended.error().code == Code::not_found) {
      fmt::print(err, "stateway: there is no session {} to end: see stateway session list\n", id);
      continue;
    }
    (void)say(err, ended.error());
    if (ended.error().code == Code::connect_failed || ended.error().code == Code::forbidden) break;
  }
  return exit_code;
}

}  // namespace stateway
