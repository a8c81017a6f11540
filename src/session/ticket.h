// What a client holds of its session: the public id, and the secret that opens it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace stateway::session {

/// A public id of 96 random bits and a secret of 160. A default one is nobody's and has no secret.
class Ticket {
 public:
  static constexpr std::size_t kIdBytes = 12;
  static constexpr std::size_t kSecretBytes = 20;
  static constexpr std::size_t kRawBytes = kIdBytes + kSecretBytes;
  static constexpr std::size_t kTextBytes = 16 + 1 + 27;

  /// The public id, raw. Not a credential. Dies with the ticket.
  std::string_view id() const { return {id_.data(), id_.size()}; }
  /// The public id in base64url, 16 characters. Dies with the ticket.
  std::string_view id_text() const { return {id_text_.data(), id_text_.size()}; }
  /// The cookie's value, `<id>.<secret>` in base64url: for Set-Cookie alone.
  std::string text() const;
  /// Id and secret, raw: for what is sealed, alone.
  std::string raw() const;

 private:
  friend Ticket make_ticket(Random& random);
  friend Ticket with_new_secret(const Ticket& ticket, Random& random);
  friend std::optional<Ticket> parse_ticket(std::string_view text);
  friend std::optional<Ticket> ticket_from_raw(std::string_view raw);
  friend std::string secret_hash(const Ticket& ticket);

  void set_id(std::string_view raw);

  std::array<char, kIdBytes> id_{};
  std::array<char, 16> id_text_{'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A',
                                'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'};
  Secret secret_;  // raw
};

/// A new session's.
Ticket make_ticket(Random& random);
/// The same id with another secret: what `renew` gives the client.
Ticket with_new_secret(const Ticket& ticket, Random& random);
/// Strict: its exact length, no padding, no spare bits. nullopt for all else that clients send.
std::optional<Ticket> parse_ticket(std::string_view text);
/// What Ticket::raw gave; nullopt for another length.
std::optional<Ticket> ticket_from_raw(std::string_view raw);
/// SHA-256 of the secret, 32 raw octets: what the record keeps. Compare with equal_constant_time.
std::string secret_hash(const Ticket& ticket);

}  // namespace stateway::session
