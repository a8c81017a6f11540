#include "session/ticket.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace stateway::session {
namespace {

TEST(Ticket, GoesToTheClientAndComesBack) {
  SeededRandom random(1);
  const Ticket ticket = make_ticket(random);
  EXPECT_EQ(ticket.id().size(), 12u);
  EXPECT_EQ(ticket.id_text(), base64url_encode(as_bytes(ticket.id())));
  EXPECT_EQ(ticket.text().size(), 44u);
  EXPECT_TRUE(ticket.text().starts_with(std::string(ticket.id_text()) + "."));

  const std::optional<Ticket> again = parse_ticket(ticket.text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id(), ticket.id());
  EXPECT_EQ(again->id_text(), ticket.id_text());
  EXPECT_EQ(again->text(), ticket.text());
  EXPECT_EQ(secret_hash(*again), secret_hash(ticket));
}

TEST(Ticket, KeepsItsHashNotItsSecret) {
  const std::optional<Ticket> ticket = parse_ticket("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA");
  ASSERT_TRUE(ticket);
  EXPECT_EQ(secret_hash(*ticket), sha256(std::string(20, '\0')));
  EXPECT_EQ(Ticket().id_text(), "AAAAAAAAAAAAAAAA");
  EXPECT_NE(secret_hash(Ticket()), secret_hash(*ticket)) << "nobody's ticket opens nothing";
}

TEST(Ticket, RenewedHasTheSameIdAndAnotherSecret) {
  SeededRandom random(2);
  const Ticket ticket = make_ticket(random);
  const Ticket renewed = with_new_secret(ticket, random);
  EXPECT_EQ(renewed.id(), ticket.id());
  EXPECT_NE(secret_hash(renewed), secret_hash(ticket));
  EXPECT_NE(make_ticket(random).id(), ticket.id());
}

TEST(Ticket, ParsingIsStrict) {
  const std::string_view kBad[] = {
      "",
      ".",
      "AAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAAA.",
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAA",  // dot too early
      "AAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA",  // and too late
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA=",  // padding
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAB",  // spare bits
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAC",
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAA+A",  // the other alphabet
      "AAAAAAAAAAAAAA/A.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAA A.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAA\x80",
  };
  for (const std::string_view text : kBad) EXPECT_FALSE(parse_ticket(text)) << text;
  EXPECT_TRUE(parse_ticket("-_09azAZAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAE"));
}

}  // namespace
}  // namespace stateway::session
