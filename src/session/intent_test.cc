#include "session/intent.h"

#include <gtest/gtest.h>

#include <string>

namespace stateway::session {
namespace {

using store::OnConflict;
using store::outage::Remade;

constexpr WallMillis kExpires = 1'700'000'000'000;

SessionRecord session(std::string document, char secret = 'a') {
  return {.kind = "cart",
          .created = 1,
          .absolute_expires = kExpires,
          .secret_hash = std::string(32, secret),
          .home = Home::store,
          .document = std::move(document)};
}

store::Record record(store::Revision revision, const SessionRecord& of, std::string principal = "ann") {
  return {.revision = revision,
          .expires_at = kExpires,
          .principal = std::move(principal),
          .value = encode_record(of)};
}

struct Case {
  std::string base, patch, made, present;
};

Remade remake(const Case& c, OnConflict policy, store::State state = store::State::live) {
  PatchSet patches;
  const std::string_view patch = c.patch;
  EXPECT_TRUE(patches.add_header_values(std::span(&patch, 1)));
  const std::string secret(32, 'a');
  const std::string intent = encode_intent(
      {.patches = patches, .document = c.base, .secret_hash = secret, .document_bytes_max = 100});
  store::Record present = record(9, session(c.present));
  present.state = state;
  return IntentRemaker().remake(intent, record(5, session(c.made)), present, policy);
}

std::string document(const Remade& remade) {
  const auto decoded = decode_record(remade.record.value);
  EXPECT_TRUE(decoded);
  return decoded ? decoded->document : "";
}

TEST(Intent, OnWhatItWasMadeForItStaysAsItIs) {
  const Case c{R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2})", R"({"a":1})"};
  EXPECT_EQ(remake(c, OnConflict::store).how, Remade::How::as_made);
}

TEST(Intent, InOtherPlacesItIsRebased) {
  const Case merge{R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2})", R"({"a":7,"c":3})"};
  const Case several{R"({"a":[]})", R"({"b":2},[{"op":"add","path":"/a/-","value":1}])", R"({"a":[1],"b":2})",
                     R"({"a":[],"c":3})"};
  for (const OnConflict policy : {OnConflict::journal, OnConflict::store}) {
    const Remade remade = remake(merge, policy);
    EXPECT_EQ(remade.how, Remade::How::rebased);
    EXPECT_EQ(document(remade), R"({"a":7,"c":3,"b":2})");
    EXPECT_EQ(remade.record.state, store::State::live);
    EXPECT_EQ(remade.record.principal, "ann");
    EXPECT_EQ(document(remake(several, policy)), R"({"a":[1],"c":3,"b":2})");
  }
}

TEST(Intent, InTheSamePlacesThePolicyDecides) {
  const Case cases[] = {
      {R"({"a":1})", R"({"a":2,"b":2})", R"({"a":2,"b":2})", R"({"a":3})"},
      {R"({"a":[1]})", R"([{"op":"replace","path":"/a/0","value":2}])", R"({"a":[2]})", R"({"a":[3],"c":1})"},
      {R"({"a":1})", R"([{"op":"test","path":"/a","value":1},{"op":"remove","path":"/a"}])", "{}",
       R"({"b":3})"},
      {"{}", R"({"b":"012345678901234567890123456789"})", R"({"b":"012345678901234567890123456789"})",
       R"({"c":"01234567890123456789012345678901234567890123456789012345678901234567890123456789"})"},
  };
  const std::string journals[] = {R"({"a":2,"b":2})", R"({"a":[2]})", "{}",
                                  R"({"b":"012345678901234567890123456789"})"};
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const Remade journal = remake(cases[i], OnConflict::journal);
    EXPECT_EQ(journal.how, Remade::How::overlapped) << i;
    EXPECT_EQ(document(journal), journals[i]);
    EXPECT_EQ(remake(cases[i], OnConflict::store).how, Remade::How::overlapped) << i;
  }
}

TEST(Intent, ASessionThatHasMovedMeanwhileCountsAsOverlap) {
  const Case c{R"({"a":1})", R"({"b":2})", R"({"a":1,"b":2})", R"({"a":1,"c":3})"};
  const Remade remade = remake(c, OnConflict::journal, store::State::moved);
  EXPECT_EQ(remade.how, Remade::How::overlapped);
  EXPECT_EQ(remade.record.state, store::State::live);
  EXPECT_EQ(document(remade), R"({"a":1,"c":3,"b":2})");
}

TEST(Intent, ASessionThatWasRenewedMeanwhileRefusesIt) {
  const PatchSet none;
  const std::string a(32, 'a');
  const std::string intent =
      encode_intent({.patches = none, .document = "{}", .secret_hash = a, .document_bytes_max = 100});
  const store::Record made = record(5, session("{}", 'a'));
  const store::Record renewed = record(6, session("{}", 'b'), "bob");
  for (const OnConflict policy : {OnConflict::journal, OnConflict::store})
    EXPECT_EQ(IntentRemaker().remake(intent, made, renewed, policy).how, Remade::How::refused);
}

TEST(Intent, ARenewIsRebasedWithItsSecretAndPrincipal) {
  const PatchSet none;
  const std::string a(32, 'a');
  const std::string intent = encode_intent(
      {.patches = none, .document = "{}", .secret_hash = a, .renews = true, .document_bytes_max = 100});
  const store::Record made = record(5, session("{}", 'b'), "bob");
  const Remade remade =
      IntentRemaker().remake(intent, made, record(6, session(R"({"x":1})", 'a'), ""), OnConflict::store);
  ASSERT_EQ(remade.how, Remade::How::rebased);
  EXPECT_EQ(remade.record.principal, "bob");
  EXPECT_EQ(decode_record(remade.record.value)->secret_hash, std::string(32, 'b'));
  EXPECT_EQ(document(remade), R"({"x":1})");
}

TEST(Intent, WhatCannotBeReadIsAnOverlap) {
  const store::Record made = record(5, session(R"({"a":1})"));
  const Remade remade = IntentRemaker().remake("?", made, record(6, session("{}")), OnConflict::journal);
  EXPECT_EQ(remade.how, Remade::How::overlapped);
  EXPECT_EQ(document(remade), R"({"a":1})");
}

}  // namespace
}  // namespace stateway::session
