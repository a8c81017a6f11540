#include "json/json_patch.h"

#include <gtest/gtest.h>

#include <string>

namespace stateway::json {
namespace {

Result<Document> patched(std::string_view original, std::string_view patch,
                         const DocumentLimits& limits = {}) {
  Edit edit(parse(original).value(), limits);
  const Result<Document> steps = parse(patch, {.depth_max = 100});
  if (!steps) return std::unexpected(steps.error());
  if (auto ok = apply_json_patch(edit, *steps); !ok) return pass_on(std::move(ok));
  EXPECT_EQ(edit.bytes(), to_ascii(edit.document()).size()) << original << " " << patch;
  return std::move(edit).take();
}

struct Row {
  std::string_view name, original, patch, result;
};

const Row kApplies[] = {
    // RFC 6902 appendix A
    {"A.1", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A.2", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
     R"({"foo":["bar","qux","baz"]})"},
    {"A.3", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
    {"A.4", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
     R"({"foo":["bar","baz"]})"},
    {"A.5", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
     R"({"baz":"boo","foo":"bar"})"},
    {"A.6", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {"A.7", R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {"A.8", R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {"A.10", R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {"A.11", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A.14", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
    {"A.16", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
    // ours
    {"nothing", R"({"a":1})", "[]", R"({"a":1})"},
    {"add replaces", R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null,"b":2})"},
    {"add at the end", R"({"a":[1]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2]})"},
    {"add to an empty array", R"({"a":[]})", R"([{"op":"add","path":"/a/0","value":2}])", R"({"a":[2]})"},
    {"add the document", R"({"a":1})", R"([{"op":"add","path":"","value":{"b":2}}])", R"({"b":2})"},
    {"replace the document", R"({"a":1})", R"([{"op":"replace","path":"","value":{}}])", R"({})"},
    {"replace an element", R"({"a":[1,2]})", R"([{"op":"replace","path":"/a/1","value":3}])",
     R"({"a":[1,3]})"},
    {"empty name", R"({"":1})", R"([{"op":"replace","path":"/","value":2}])", R"({"":2})"},
    {"escapes", R"({"a/b":{"m~n":1}})", R"([{"op":"replace","path":"/a~1b/m~0n","value":2}])",
     R"({"a/b":{"m~n":2}})"},
    {"escapes in new names", "{}", R"([{"op":"add","path":"/a~1~01","value":2}])", R"({"a/~1":2})"},
    {"numbers as names", R"({"a":{}})",
     R"([{"op":"add","path":"/a/01","value":1},{"op":"add","path":"/a/-","value":2}])",
     R"({"a":{"01":1,"-":2}})"},
    {"copy", R"({"a":{"x":[1]}})", R"([{"op":"copy","from":"/a","path":"/b"}])",
     R"({"a":{"x":[1]},"b":{"x":[1]}})"},
    {"copy into itself", R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/a/y"}])",
     R"({"a":{"x":1,"y":{"x":1}}})"},
    {"copy the document", R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])", R"({"a":1,"b":{"a":1}})"},
    {"copy to the document", R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":""}])", R"({"b":1})"},
    {"copy an element", R"({"a":[1,2]})", R"([{"op":"copy","from":"/a/0","path":"/a/-"}])",
     R"({"a":[1,2,1]})"},
    {"move to the document", R"({"a":{"b":1},"c":2})", R"([{"op":"move","from":"/a","path":""}])",
     R"({"b":1})"},
    {"move over another", R"({"a":1,"b":[2]})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
    {"move nowhere", R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1,"b":2})"},
    {"move to a longer name", R"({"a":1})", R"([{"op":"move","from":"/a","path":"/ab"}])", R"({"ab":1})"},
    {"move the last element", R"({"a":[1]})", R"([{"op":"move","from":"/a/0","path":"/a/0"}])",
     R"({"a":[1]})"},
    {"test by value", R"({"a":{"x":1,"y":[1.0]}})",
     R"([{"op":"test","path":"/a","value":{"y":[1],"x":1e0}}])", R"({"a":{"x":1,"y":[1.0]}})"},
    {"test the document", R"({"a":1})", R"([{"op":"test","path":"","value":{"a":1}}])", R"({"a":1})"},
    {"test for null", R"({"a":null})", R"([{"op":"test","path":"/a","value":null}])", R"({"a":null})"},
    {"in order", "{}",
     R"([{"op":"add","path":"/a","value":[]},{"op":"add","path":"/a/-","value":1},)"
     R"({"op":"add","path":"/a/0","value":0},{"op":"copy","from":"/a","path":"/b"},)"
     R"({"op":"remove","path":"/a/1"}])",
     R"({"a":[0],"b":[0,1]})"},
};

TEST(JsonPatch, Applies) {
  for (const auto& [name, original, patch, result] : kApplies) {
    const auto d = patched(original, patch);
    ASSERT_TRUE(d) << name << ": " << d.error().context;
    EXPECT_EQ(to_ascii(*d), result) << name;
  }
}

struct Refused {
  std::string_view name, original, patch;
  Code code = Code::bad_patch;
};

TEST(JsonPatch, Refuses) {
  const Refused kTable[] = {
      // RFC 6902 appendix A
      {"A.9", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", Code::patch_test_failed},
      {"A.12", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])"},
      {"A.13", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])"},
      {"A.15", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
       Code::patch_test_failed},
      // ours
      {"no array", "{}", R"({"op":"test","path":"","value":{}})"},
      {"no object", "{}", "[1]"},
      {"no op", "{}", R"([{"path":"","value":{}}])"},
      {"op no string", "{}", R"([{"op":1,"path":"","value":{}}])"},
      {"op unknown", "{}", R"([{"op":"Add","path":"","value":{}}])"},
      {"op empty", "{}", R"([{"op":"","path":"","value":{}}])"},
      {"no path", "{}", R"([{"op":"add","value":{}}])"},
      {"path null", "{}", R"([{"op":"add","path":null,"value":{}}])"},
      {"path no pointer", "{}", R"([{"op":"add","path":"a","value":1}])"},
      {"bad escape", "{}", R"([{"op":"add","path":"/~","value":1}])"},
      {"bad escape inside", "{}", R"([{"op":"add","path":"/~2a","value":1}])"},
      {"no value", "{}", R"([{"op":"add","path":"/a"}])"},
      {"no value to test", "{}", R"([{"op":"test","path":"/a"}])"},
      {"no from", R"({"a":1})", R"([{"op":"move","path":"/a"}])"},
      {"from no pointer", R"({"a":1})", R"([{"op":"copy","from":"a","path":"/b"}])"},
      {"remove nothing", R"({"a":1})", R"([{"op":"remove","path":"/b"}])"},
      {"remove nothing deep", R"({"a":1})", R"([{"op":"remove","path":"/b/c"}])"},
      {"remove the document", R"({"a":1})", R"([{"op":"remove","path":""}])"},
      {"remove behind the end", R"({"a":[1]})", R"([{"op":"remove","path":"/a/1"}])"},
      {"remove -", R"({"a":[1]})", R"([{"op":"remove","path":"/a/-"}])"},
      {"replace nothing", R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])"},
      {"replace -", R"({"a":[1]})", R"([{"op":"replace","path":"/a/-","value":1}])"},
      {"add past the end", R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":1}])"},
      {"add at a name in an array", R"({"a":[1]})", R"([{"op":"add","path":"/a/x","value":1}])"},
      {"leading zero", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/01","value":1}])"},
      {"sign", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/+1","value":1}])"},
      {"negative", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/-1","value":1}])"},
      {"exponent", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/1e0","value":1}])"},
      {"huge index", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/18446744073709551616","value":1}])"},
      {"empty index", R"({"a":[1,2]})", R"([{"op":"add","path":"/a/","value":1}])"},
      {"into a scalar", R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])"},
      {"past -", R"({"a":[[]]})", R"([{"op":"add","path":"/a/-/0","value":1}])"},
      {"move nothing", R"({"a":1})", R"([{"op":"move","from":"/b","path":"/c"}])"},
      {"move nothing nowhere", R"({"a":1})", R"([{"op":"move","from":"/b","path":"/b"}])"},
      {"move into itself", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b"}])"},
      {"move the document", R"({"a":1})", R"([{"op":"move","from":"","path":"/a"}])"},
      {"move from -", R"({"a":[1]})", R"([{"op":"move","from":"/a/-","path":"/b"}])"},
      {"copy nothing", R"({"a":1})", R"([{"op":"copy","from":"/b","path":"/c"}])"},
      {"test nothing", R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])", Code::patch_test_failed},
      {"test type", R"({"a":1})", R"([{"op":"test","path":"/a","value":"1"}])", Code::patch_test_failed},
      {"later step", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}])",
       Code::patch_test_failed},
  };
  for (const auto& [name, original, patch, code] : kTable) {
    const auto d = patched(original, patch);
    ASSERT_FALSE(d) << name << ": " << to_ascii(*d);
    EXPECT_EQ(d.error().code, code) << name;
  }
}

TEST(JsonPatch, IsCheckedWithoutADocument) {
  const auto check = [](std::string_view text) { return check_json_patch(parse(text).value()); };
  EXPECT_TRUE(check("[]"));
  EXPECT_TRUE(check(R"([{"op":"remove","path":"/not/there"}])"));
  EXPECT_EQ(check("{}").error().code, Code::bad_patch);
  const auto bad = check(R"([{"op":"remove","path":"/a"},{"op":"drop","path":"/a"}])");
  EXPECT_EQ(bad.error().context, "step 1: no known op");
}

std::string repeat(std::string_view step, int times) {
  std::string out = "[";
  for (int i = 0; i < times; ++i) (out += i > 0 ? "," : "") += step;
  return out + "]";
}

TEST(JsonPatch, OperationsAreCounted) {
  const std::string_view step = R"({"op":"test","path":"","value":{}})";
  EXPECT_TRUE(patched("{}", repeat(step, 1000)));
  EXPECT_EQ(patched("{}", repeat(step, 1001)).error().code, Code::bad_patch);
}

TEST(JsonPatch, SizeHoldsAfterEveryStep) {
  EXPECT_TRUE(patched("{}", R"([{"op":"add","path":"/a","value":"123"}])", {.bytes_max = 11}));
  EXPECT_EQ(patched("{}", R"([{"op":"add","path":"/a","value":"1234"}])", {.bytes_max = 11}).error().code,
            Code::document_too_large);
  // Shrinking again at once does not help.
  EXPECT_EQ(patched("{}", R"([{"op":"add","path":"/a","value":"1234"},{"op":"remove","path":"/a"}])",
                    {.bytes_max = 11})
                .error()
                .code,
            Code::document_too_large);
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"replace","path":"/a","value":123456}])", {.bytes_max = 11})
                .error()
                .code,
            Code::document_too_large);
  EXPECT_TRUE(patched(R"({"a":"12345678"})", R"([{"op":"move","from":"/a","path":"/b"}])", {.bytes_max = 5}));
  EXPECT_EQ(patched(R"({"a":"12345678"})", R"([{"op":"move","from":"/a","path":"/bb"}])", {.bytes_max = 5})
                .error()
                .code,
            Code::document_too_large);
}

TEST(JsonPatch, CopyBombsStopEarly) {
  EXPECT_EQ(
      patched(R"({"a":"0123456789"})", repeat(R"({"op":"copy","from":"","path":"/a"})", 1000)).error().code,
      Code::bad_patch);  // depth
  EXPECT_EQ(patched(R"({"a":["0123456789"]})", repeat(R"({"op":"copy","from":"/a","path":"/a/-"})", 20),
                    {.depth_max = 1000})
                .error()
                .code,
            Code::document_too_large);
  // Work that leaves nothing behind is bounded as well.
  const std::string big = R"({"a":")" + std::string(500'000, 'x') + R"("})";
  EXPECT_TRUE(patched(big, repeat(R"({"op":"copy","from":"/a","path":"/b"})", 8)));
  EXPECT_EQ(patched(big, repeat(R"({"op":"copy","from":"/a","path":"/b"})", 100)).error().code,
            Code::document_too_large);
  // Small documents may be moved about as often as the operations allow.
  EXPECT_TRUE(
      patched(R"({"a":"0123456789"})",
              repeat(R"({"op":"move","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/a"})", 500),
              {.bytes_max = 100}));
}

TEST(JsonPatch, DepthHoldsAfterEveryStep) {
  const DocumentLimits kThree{.depth_max = 3};
  EXPECT_TRUE(patched(R"({"a":{}})", R"([{"op":"add","path":"/a/b","value":[1]}])", kThree));
  EXPECT_EQ(patched(R"({"a":{}})", R"([{"op":"add","path":"/a/b","value":[[]]}])", kThree).error().code,
            Code::bad_patch);
  EXPECT_EQ(
      patched(R"({"a":{"b":1}})", R"([{"op":"replace","path":"/a/b","value":[{}]}])", kThree).error().code,
      Code::bad_patch);
  EXPECT_EQ(patched(R"({"a":{"b":{}}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])", kThree).error().code,
            Code::bad_patch);
  EXPECT_EQ(patched(R"({"a":{"b":{}},"c":{}})", R"([{"op":"move","from":"/a","path":"/c/d"}])", kThree)
                .error()
                .code,
            Code::bad_patch);
}

}  // namespace
}  // namespace stateway::json
