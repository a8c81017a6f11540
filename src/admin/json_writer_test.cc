#include "admin/json_writer.h"

#include <gtest/gtest.h>

namespace stateway::admin {
namespace {

TEST(JsonWriter, IsCompactAndOneLine) {
  JsonWriter json;
  json.member("text", "a\"b\n");
  json.member("string", std::string("\xff"));
  json.member("yes", true);
  json.member("no", false);
  json.member("most", ~std::uint64_t{0});
  json.member("less", -1);
  json.member("mean", 2.0 / 3);
  json.member_or_null("none", "");
  json.member_or_null("some", "x");
  json.member_time("at", 1'700'000'000'007);
  json.member_time("leap", 951'782'400'000);
  json.member_time("never", 0);
  json.member_json("document", R"({"a":1})");
  json.begin_object("empty");
  json.end_object();
  json.begin_array("list");
  json.element("a");
  json.element("b");
  json.begin_object();
  json.member("n", 1);
  json.end_object();
  json.begin_object();
  json.end_object();
  json.end_array();
  json.begin_array("none_at_all");
  json.end_array();
  json.member("last", 0u);
  EXPECT_EQ(
      std::move(json).finish(),
      R"({"text":"a\"b\n","string":"\ufffd","yes":true,"no":false,"most":18446744073709551615,"less":-1,)"
      R"("mean":0.67,"none":null,"some":"x","at":"2023-11-14T22:13:20.007Z",)"
      R"("leap":"2000-02-29T00:00:00.000Z",)"
      R"("never":null,"document":{"a":1},"empty":{},"list":["a","b",{"n":1},{}],"none_at_all":[],"last":0})"
      "\n");
}

TEST(JsonWriter, NothingIsAnEmptyObject) { EXPECT_EQ(JsonWriter().finish(), "{}\n"); }

}  // namespace
}  // namespace stateway::admin
