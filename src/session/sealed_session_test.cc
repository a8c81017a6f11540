#include "session/sealed_session.h"

#include <gtest/gtest.h>

namespace stateway::session {
namespace {

SealedSession session(decltype(SealedSession::holds) holds) {
  SystemRandom random;
  return {.ticket = make_ticket(random),
          .created = 1,
          .absolute_expires = 2,
          .sealed_at = 3,
          .idle_expires = 4,
          .holds = std::move(holds)};
}

void expect_front(const SealedSession& read, const SealedSession& written) {
  EXPECT_EQ(read.ticket.text(), written.ticket.text());
  EXPECT_EQ(read.created, 1);
  EXPECT_EQ(read.absolute_expires, 2);
  EXPECT_EQ(read.sealed_at, 3);
  EXPECT_EQ(read.idle_expires, 4);
}

TEST(SealedSession, HoldsAnInstance) {
  const SealedSession written = session(SealedPlace{.instance = 0x8123456789abcdef, .recorded = true});
  const std::string contents = encode_sealed(written);
  EXPECT_EQ(contents.size(), 74u);
  const auto read = decode_sealed(contents);
  ASSERT_TRUE(read && read->place());
  expect_front(*read, written);
  EXPECT_EQ(read->place()->instance, 0x8123456789abcdef);
  EXPECT_TRUE(read->place()->recorded);
  for (std::size_t n = 0; n < contents.size(); ++n) EXPECT_FALSE(decode_sealed(contents.substr(0, n))) << n;
  EXPECT_FALSE(decode_sealed(contents + '\0'));
}

TEST(SealedSession, HoldsADocument) {
  const SealedSession written =
      session(SealedDocument{.version = 7, .principal = "ann", .document = R"({"a":1})"});
  const std::string contents = encode_sealed(written);
  EXPECT_EQ(contents.size(), sealed_document_bytes(3, 7));
  const auto read = decode_sealed(contents);
  ASSERT_TRUE(read && read->document());
  expect_front(*read, written);
  EXPECT_EQ(read->document()->version, 7u);
  EXPECT_EQ(read->document()->principal, "ann");
  EXPECT_EQ(read->document()->document, R"({"a":1})");
  const std::size_t head = contents.size() - 7;
  for (std::size_t n = 0; n < head; ++n) EXPECT_FALSE(decode_sealed(contents.substr(0, n))) << n;
}

TEST(SealedSession, IsReadStrictly) {
  const std::string contents = encode_sealed(session(SealedPlace{}));
  for (const auto& [at, value] :
       {std::pair<std::size_t, char>{0, 0}, {0, 3}, {33, '\x80'}, {57, '\x80'}, {73, 2}}) {
    std::string other = contents;
    other[at] = value;
    EXPECT_FALSE(decode_sealed(other)) << at;
  }
}

}  // namespace
}  // namespace stateway::session
