#include "session/ticket.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace stateway::session {
namespace {

constexpr std::size_t kIdTextBytes = 16;

std::string draw(Random& random, std::size_t bytes) {
  std::string out(bytes, '\0');
  random.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

}  // namespace

void Ticket::set_id(std::string_view raw) {
  std::ranges::copy(raw, id_.begin());
  std::ranges::copy(base64url_encode(as_bytes(raw)), id_text_.begin());
}

std::string Ticket::text() const {
  std::string out;
  out.reserve(kTextBytes);
  out += id_text();
  out += '.';
  out += base64url_encode(as_bytes(secret_.reveal()));
  return out;
}

std::string Ticket::raw() const { return std::string(id()).append(secret_.reveal()); }

Ticket make_ticket(Random& random) {
  Ticket out;
  out.set_id(draw(random, Ticket::kIdBytes));
  out.secret_ = Secret(draw(random, Ticket::kSecretBytes));
  return out;
}

Ticket with_new_secret(const Ticket& ticket, Random& random) {
  Ticket out = ticket;
  out.secret_ = Secret(draw(random, Ticket::kSecretBytes));
  return out;
}

std::optional<Ticket> parse_ticket(std::string_view text) {
  if (text.size() != Ticket::kTextBytes || text[kIdTextBytes] != '.') return std::nullopt;
  const std::optional<std::string> id = base64url_decode(text.substr(0, kIdTextBytes));
  std::optional<std::string> secret = base64url_decode(text.substr(kIdTextBytes + 1));
  if (!id || !secret) return std::nullopt;
  Ticket out;
  out.set_id(*id);
  out.secret_ = Secret(std::move(*secret));
  return out;
}

std::optional<Ticket> ticket_from_raw(std::string_view raw) {
  if (raw.size() != Ticket::kRawBytes) return std::nullopt;
  Ticket out;
  out.set_id(raw.substr(0, Ticket::kIdBytes));
  out.secret_ = Secret(std::string(raw.substr(Ticket::kIdBytes)));
  return out;
}

std::string secret_hash(const Ticket& ticket) { return sha256(ticket.secret_.reveal()); }

}  // namespace stateway::session
