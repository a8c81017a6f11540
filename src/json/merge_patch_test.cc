#include "json/merge_patch.h"

#include <gtest/gtest.h>

#include <string>

namespace stateway::json {
namespace {

struct Row {
  std::string_view original, patch, result;
};

Result<Document> merged(std::string_view original, std::string_view patch,
                        const DocumentLimits& limits = {}) {
  Edit edit(parse(original).value(), limits);
  if (auto ok = apply_merge_patch(edit, parse(patch, {.depth_max = 100}).value()); !ok)
    return pass_on(std::move(ok));
  EXPECT_EQ(edit.bytes(), to_ascii(edit.document()).size()) << original << " " << patch;
  return std::move(edit).take();
}

TEST(MergePatch, Rfc7396) {
  const Row kTable[] = {
      // Appendix A
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      // Section 3
      {R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],)"
       R"("content":"This will be unchanged"})",
       R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},)"
       R"("tags":["example"]})",
       R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],)"
       R"("content":"This will be unchanged",)"
       R"("phoneNumber":"+01-123-456-7890"})"},
      // ours
      {R"({"a":1})", R"({})", R"({"a":1})"},
      {R"({"a":1})", R"({"a":{}})", R"({"a":{}})"},
      {R"({"a":{"b":1}})", R"({"a":{}})", R"({"a":{"b":1}})"},
      {R"({"a":1})", R"({"b":null})", R"({"a":1})"},
      {R"({})", R"({"a":[null,{"b":null}]})", R"({"a":[null,{"b":null}]})"},
      {R"({"a":null})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
      {R"({"a":1,"b":2,"c":3})", R"({"a":null})", R"({"b":2,"c":3})"},
  };
  for (const auto& [original, patch, result] : kTable) {
    const auto d = merged(original, patch);
    ASSERT_TRUE(d) << original << " " << patch;
    EXPECT_EQ(to_ascii(*d), result) << original << " " << patch;
  }
}

TEST(MergePatch, LimitsHold) {
  EXPECT_TRUE(merged("{}", R"({"a":"123"})", {.bytes_max = 11}));
  EXPECT_EQ(merged("{}", R"({"a":"1234"})", {.bytes_max = 11}).error().code, Code::document_too_large);
  // What counts is what is written: an escape is longer than its character.
  EXPECT_EQ(merged("{}", "{\"a\":\"\xc3\xa9\"}", {.bytes_max = 13}).error().code, Code::document_too_large);
  EXPECT_TRUE(merged("{}", "{\"a\":\"\xc3\xa9\"}", {.bytes_max = 14}));
  // A document over a limit that was lowered may shrink, not grow.
  EXPECT_TRUE(merged(R"({"a":"12345","b":1})", R"({"b":null})", {.bytes_max = 5}));
  EXPECT_FALSE(merged(R"({"a":"12345","b":1})", R"({"b":22})", {.bytes_max = 5}));
  // Room that the same patch makes counts.
  EXPECT_TRUE(merged(R"({"a":"123"})", R"({"b":"123","a":null})", {.bytes_max = 11}));

  EXPECT_TRUE(merged("{}", R"({"a":{"b":{}}})", {.depth_max = 3}));
  EXPECT_EQ(merged("{}", R"({"a":{"b":{"c":{"d":null}}}})", {.depth_max = 3}).error().code, Code::bad_patch);
  EXPECT_EQ(merged("{}", R"({"a":{"b":[[]]}})", {.depth_max = 3}).error().code, Code::bad_patch);
  EXPECT_TRUE(merged("{}", R"({"a":{"b":[1]}})", {.depth_max = 3}));

  Edit edit(Document::empty_object(), {.operations_max = 2});
  const Document patch = parse(R"({"a":1})").value();
  EXPECT_TRUE(apply_merge_patch(edit, patch));
  EXPECT_TRUE(apply_merge_patch(edit, patch));
  EXPECT_EQ(apply_merge_patch(edit, patch).error().code, Code::bad_patch);
}

TEST(MergePatch, SmallObjectsKeepTheirOrderWhenMembersGo) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i)
    text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  const auto d = merged(text + "}", R"({"k0":null,"k50":null,"k99":null})");
  ASSERT_TRUE(d);
  const std::string out = to_ascii(*d);
  EXPECT_TRUE(out.starts_with(R"({"k1":1,"k2":2,)"));
  EXPECT_NE(out.find(R"("k49":49,"k51":51)"), std::string::npos);
  EXPECT_TRUE(out.ends_with(R"("k98":98})"));
}

}  // namespace
}  // namespace stateway::json
