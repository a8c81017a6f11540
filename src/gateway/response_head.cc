#include "gateway/response_head.h"

#include <algorithm>

#include "base/bytes.h"
#include "gateway/on_loop.h"
#include "http/cookies.h"
#include "http/forwarding.h"
#include "http/problem.h"
#include "http/websocket.h"
#include "http/writer.h"
#include "session/cookie.h"

namespace stateway::gateway {
namespace {

using http::FieldId;
using Kind = http::Framing::Kind;

bool sets_cookie(const Exchange& x) { return x.session && x.session->cookie != session::Slot::Cookie::keep; }

// The session's cookie is ours alone: a service that set one of that name would log its client out.
bool sets_our_cookie(const Exchange& x, std::string_view set_cookie) {
  const std::string_view name = trim_ows(set_cookie.substr(0, set_cookie.find('=')));
  return std::ranges::find(x.config->cookie_names, name) != x.config->cookie_names.end();
}

// RFC 9111 §5.2.2: a shared cache must not hand one client's cookie to another.
std::string private_cache_control(const http::Fields& fields) {
  std::string out = "private";
  for (const http::Field& f : fields) {
    if (f.id != FieldId::cache_control) continue;
    std::string_view rest = f.value, member;
    while (http::next_list_member(rest, member)) {
      const std::string_view name = member.substr(0, member.find('='));
      if (equals_ignoring_case(name, "public") || equals_ignoring_case(name, "private") ||
          equals_ignoring_case(name, "s-maxage"))
        continue;
      out.append(", ").append(member);
    }
  }
  return out;
}

void append_connection(std::string& out, const Exchange& x, bool keep_alive) {
  if (!keep_alive)
    out.append("Connection: close\r\n");
  else if (x.request.minor == 0)
    out.append("Connection: keep-alive\r\n");
}

void append_cookie(std::string& out, const Exchange& x) {
  if (sets_cookie(x))
    http::append_field(out, "Set-Cookie", session::cookie_field(*x.session, x.on.clock.now()));
}

// Of ours alone: a service's own Stateway fields never get here.
void append_commit(std::string& out, const Exchange& x) {
  if (x.session && x.session->committed_locally) http::append_field(out, "Stateway-Commit", "local");
}

void append_debug(std::string& out, const Exchange& x) {
  if (!x.config->gateway.debug_headers) return;
  http::append_field(out, "Stateway-Instance", x.instance);
  if (!x.session) return;
  http::append_field(out, "Stateway-Placement", session::placement_name(x.session->kind->placement));
  if (x.session->kind->has_document()) http::append_field(out, "Stateway-Version", x.session->version);
}

void append_received(std::string& out, const Exchange& x, const http::ResponseHead& head,
                     bool describes_body) {
  const http::HopByHop hop(head.fields);
  const bool new_cookie = sets_cookie(x);
  for (const http::Field& f : head.fields) {
    if (f.id == FieldId::stateway || (f.id == FieldId::content_length && !describes_body)) continue;
    if (f.id == FieldId::cache_control && new_cookie) continue;
    if (f.id == FieldId::set_cookie && sets_our_cookie(x, f.value)) continue;
    if (hop.drops(f)) continue;
    http::append_field(out, f);
  }
  if (new_cookie) http::append_field(out, "Cache-Control", private_cache_control(head.fields));
}

}  // namespace

http::Framing client_framing(const Exchange& x) {
  http::Framing framing = x.answer->framing;
  if (framing.kind == Kind::chunked || framing.kind == Kind::until_close)
    framing.kind = x.request.minor >= 1 ? Kind::chunked : Kind::until_close;
  return framing;
}

void append_answer_head(std::string& out, const Exchange& x, http::Framing framing, bool keep_alive) {
  const http::ResponseHead& head = x.answer->head;
  http::append_status_line(out, head.status, head.reason);
  // With Kind::none a Content-Length describes what HEAD or 304 left out.
  append_received(out, x, head, framing.kind == Kind::none && head.status != 204);
  if (!head.fields.has(FieldId::date)) http::append_field(out, "Date", x.on.date.at(x.on.clock.now()));
  append_cookie(out, x);
  append_commit(out, x);
  append_debug(out, x);
  if (head.status == 101)
    out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  else
    append_connection(out, x, keep_alive);
  if (framing.kind == Kind::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (framing.kind == Kind::length) http::append_field(out, "Content-Length", framing.length);
  http::end_head(out);
}

void append_interim_head(std::string& out, const Exchange& x, const http::ResponseHead& head) {
  http::append_status_line(out, head.status, head.reason);
  const http::HopByHop hop(head.fields);
  for (const http::Field& f : head.fields) {
    if (f.id == FieldId::stateway) {
      x.on.counters.patches_ignored.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (f.id != FieldId::content_length && !hop.drops(f)) http::append_field(out, f);
  }
  http::end_head(out);
}

void append_own_head(std::string& out, const Exchange& x, const OwnResponse& response, bool keep_alive) {
  http::append_status_line(out, response.status, http::reason_phrase(response.status));
  http::append_field(out, "Date", x.on.date.at(x.on.clock.now()));
  for (const auto& [name, value] : response.fields) http::append_own_field(out, name, value);
  append_cookie(out, x);  // of a commit that is done but not where it should be (not_durable)
  if (!x.id.empty()) http::append_field(out, "X-Request-Id", x.id);
  append_connection(out, x, keep_alive);
  http::append_field(out, "Content-Length", response.body.size());
  http::end_head(out);
}

bool opens_tunnel(const Exchange& x, const http::ResponseHead& head) {
  return x.websocket && http::accepts_websocket(head, x.request.fields.value_of(FieldId::sec_websocket_key));
}

}  // namespace stateway::gateway
