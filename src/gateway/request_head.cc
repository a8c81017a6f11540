#include "gateway/request_head.h"

#include "gateway/on_loop.h"
#include "http/cookies.h"
#include "http/forwarding.h"
#include "http/writer.h"

namespace stateway::gateway {
namespace {

using http::FieldId;

// Fields that are written anew below, whatever was received.
bool is_rewritten_here(FieldId id) {
  switch (id) {
    case FieldId::host:
    case FieldId::content_length:
    case FieldId::cookie:
    case FieldId::expect:
    case FieldId::x_request_id:
    case FieldId::stateway:
      return true;
    default:
      return false;
  }
}

void append_received(std::string& out, const Exchange& x) {
  const http::HopByHop hop(x.request.fields);
  for (const http::Field& f : x.request.fields) {
    if (is_rewritten_here(f.id) || http::is_rewritten(f.id, x.trusted_peer) || hop.drops(f)) continue;
    http::append_field(out, f);
  }
}

void append_cookie(std::string& out, const Exchange& x) {
  if (!x.request.fields.has(FieldId::cookie)) return;
  std::vector<std::string_view> ours(x.config->cookie_names.begin(), x.config->cookie_names.end());
  const std::string rest = http::without(x.request.fields, ours);
  if (!rest.empty()) http::append_field(out, "Cookie", rest);
}

void append_session(std::string& out, const Exchange& x, std::string_view session_url) {
  const session::Slot& s = *x.session;
  http::append_field(out, "Stateway-Session-Id", s.ticket.id_text());
  if (!s.kind->has_document()) return;
  if (const std::string& held = x.answer->visit.held(); !held.empty())
    http::append_field(out, "Stateway-Session-Held", held);
  else if (s.record.document.size() <= s.kind->inline_bytes_max)
    http::append_field(out, "Stateway-Session", s.record.document);
  http::append_field(out, "Stateway-Session-Version", s.version);
  http::append_field(out, "Stateway-Session-Url", session_url);
}

}  // namespace

void append_request_head(std::string& out, const Exchange& x, const upstream::ServiceOptions& service,
                         http::Framing framing, bool expect, std::string_view session_url,
                         const Secret* token) {
  const std::string_view path = x.target.path();
  out.append(x.request.method_text).append(" ").append(path).append(x.target.query).append(" HTTP/1.1\r\n");
  http::append_field(out, "Host", x.host.empty() ? std::string_view(service.name) : x.host);
  append_received(out, x);
  append_cookie(out, x);
  http::append_via(out, x.request.fields, x.request.minor);
  http::append_forwarded(out, x.request.fields,
                         {.client_address = x.client.peer == "unix" ? std::string_view() : x.client.peer,
                          .host = x.host,
                          .proto = x.secure ? "https" : "http",
                          .trusted = x.trusted_peer});
  http::append_field(out, "X-Request-Id", x.id);
  http::append_field(out, "Stateway-Attempt", x.attempts);
  if (x.session) append_session(out, x, session_url);
  if (token != nullptr) http::append_field(out, "Stateway-Token", token->reveal());
  if (expect) http::append_field(out, "Expect", "100-continue");
  if (x.websocket) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  if (framing.kind == http::Framing::Kind::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (framing.kind == http::Framing::Kind::length) http::append_field(out, "Content-Length", framing.length);
  http::end_head(out);
}

}  // namespace stateway::gateway
