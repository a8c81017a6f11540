// Holds the table of keys, the code that reads them and docs/configuration.md together.
#include "config/keys.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "config/test_describe.h"
#include "config/test_files.h"

namespace stateway::config {
namespace {

/// A small good configuration in which any key of the table can be set.
class File {
 public:
  File() {
    set("listen", "address", "'127.0.0.1:8080'");
    set("service", "command", "['x']");
    set("route", "path", "'/'");
    set("route", "service", "'s'");
    set("route", "session", "'s'");
    sections_["session"];
  }
  void set(std::string_view section, std::string_view key, std::string_view value) {
    sections_[std::string(section)][std::string(key)] = value;
  }
  void unset(std::string_view section, std::string_view key) {
    sections_[std::string(section)].erase(std::string(key));
  }
  std::string text() const {
    std::string out;
    for (const auto& [section, entries] : sections_) {  // "" first: what belongs to no table
      if (!section.empty()) out += header(section) + "\n";
      for (const auto& [key, value] : entries) out += fmt::format("{} = {}\n", key, value);
    }
    return out;
  }

 private:
  static std::string header(const std::string& section) {
    if (section == "listen" || section == "route") return "[[" + section + "]]";
    if (section == "session") return "[session.s]";
    if (section.starts_with("service")) return "[service.s" + section.substr(7) + "]";
    return "[" + section + "]";
  }
  std::map<std::string, std::map<std::string, std::string>> sections_;
};

/// What a key of stores on other machines needs beside it. Of their kinds redis has all of them.
void add_company(File& file, const Key& key, std::string_view value) {
  constexpr std::string_view kRemote[] = {"url",     "timeout",  "connections",
                                          "ca_file", "replicas", "on_outage"};
  constexpr std::string_view kOfJournal[] = {"journal", "journal_max", "outage_memory", "on_conflict"};
  if (!key.section.starts_with("store")) return;
  const bool of_journal = std::ranges::find(kOfJournal, key.name) != std::end(kOfJournal);
  const bool remote = of_journal || std::ranges::find(kRemote, key.name) != std::end(kRemote);
  if (remote) file.set(key.section, "kind", "'redis'");
  if (of_journal) file.set(key.section, "on_outage", "'journal'");
  if (remote || value == "'redis'") file.set(key.section, "url", "'redis://h'");
  if (value == "'postgres'") file.set(key.section, "url", "'postgres://h'");
  if (key.section == "store.previous") file.set("store", "path", "'another'");
}

std::vector<std::string> complaints(const Key& key, std::string_view value) {
  File file;
  add_company(file, key, value);
  file.set(key.section, key.name, value);
  return problem_lines(file.text());
}

bool is_table(const Key& key) {
  return key.type == Type::table || key.type == Type::tables || key.type == Type::named;
}
bool is_ranged(const Key& key) {
  return key.type == Type::integer || key.type == Type::number || key.type == Type::duration ||
         key.type == Type::size;
}
std::string in_unit(const Key& key, std::int64_t n) {
  if (key.type == Type::duration) return fmt::format("\"{}ms\"", n);
  return key.type == Type::size ? fmt::format("\"{}\"", n) : fmt::format("{}", n);
}

TEST(Keys, TheFileTheseTestsBuildOnIsGood) { EXPECT_THAT(problem_lines(File().text()), testing::IsEmpty()); }

TEST(Keys, EveryKeyOfThisReleaseIsRead) {
  for (const Key& key : keys()) {
    if (key.release == Release::later || (key.section.empty() && is_table(key))) continue;
    EXPECT_THAT(complaints(key, "1979-05-27"),
                testing::Contains(testing::HasSubstr(fmt::format(": {} must be ", key.name))))
        << key.section << "." << key.name;
  }
  for (const Key& key : keys()) {
    if (!key.section.empty() || key.release == Release::later) continue;
    EXPECT_THAT(problem_lines(fmt::format("{} = 1979-05-27", key.name)),
                testing::Contains(
                    testing::StartsWith(fmt::format("F:1:{}: {} must be ", key.name.size() + 4, key.name))));
  }
}

TEST(Keys, EveryKeyOfALaterReleaseIsRefused) {
  for (const Key& key : keys()) {
    if (key.release == Release::later)
      EXPECT_THAT(complaints(key, "'x'"), testing::ElementsAre(testing::HasSubstr(fmt::format(
                                              ": {} is not in this release; remove it", key.name))));
  }
}

TEST(Keys, RangesIncludeTheirEnds) {
  for (const Key& key : keys()) {
    if (!is_ranged(key)) continue;
    const auto refused = testing::Contains(testing::HasSubstr(fmt::format(": {} must be ", key.name)));
    EXPECT_THAT(complaints(key, in_unit(key, key.min)), testing::Not(refused)) << key.name;
    EXPECT_THAT(complaints(key, in_unit(key, key.max)), testing::Not(refused)) << key.name;
    EXPECT_THAT(complaints(key, in_unit(key, key.max + 1)), refused) << key.name;
    if (key.min > 0 || key.type == Type::integer)
      EXPECT_THAT(complaints(key, in_unit(key, key.min - 1)), refused) << key.name;
  }
}

TEST(Keys, ChoicesAreTakenOrSaidToComeLater) {
  for (const Key& key : keys())
    for (const Choice& choice : key.choices) {
      const auto lines = complaints(key, fmt::format("'{}'", choice.text));
      const auto later = testing::HasSubstr(
          fmt::format(": {} = \"{}\" is not in this release; use ", key.name, choice.text));
      if (choice.value == kLater)
        EXPECT_THAT(lines, testing::ElementsAre(later));
      else
        EXPECT_THAT(lines, testing::IsEmpty()) << key.name << " " << choice.text;
    }
}

TEST(Keys, DefaultsOfTheTableAreThoseOfTheStructs) {
  File file;
  File bare;
  for (File* each : {&file, &bare}) {
    each->set("store", "kind", "'redis'");
    each->set("store", "url", "'redis://h'");
    each->set("store", "on_outage", "'journal'");
  }
  constexpr std::string_view kOfOneKind[] = {"kind", "path", "memory", "on_outage"};
  for (const Key& key : keys())
    if (key.section.starts_with("store") && std::ranges::find(kOfOneKind, key.name) != std::end(kOfOneKind))
      continue;
    else if (key.section == "store.previous" && key.name != "durability")
      continue;
    else if (key.release != Release::later && !key.section.empty() && key.fallback != kRequired &&
             key.fallback != kUnset &&
             key.name != "methods")  // an empty list would serve nothing and is refused
      file.set(key.section, key.name, key.fallback);
  bare.set("store.previous", "kind", "'embedded'");
  bare.set("service", "health", "{}");
  const auto written = parse(file.text(), "F", test_sources());
  const auto unwritten = parse(bare.text(), "F", test_sources());
  ASSERT_TRUE(written) << to_string(written.error().front());
  ASSERT_TRUE(unwritten) << to_string(unwritten.error().front());
  EXPECT_EQ(describe(*written), describe(*unwritten));
}

/// A good value that is not the default, for most keys; empty for the others.
std::string another_value(const Key& key) {
  if (key.name == "durability") return "'os'";  // the last would need another kind
  if (key.type == Type::choice) {
    for (const Choice& choice : key.choices)
      if (choice.value != kLater && key.fallback != fmt::format("\"{}\"", choice.text))
        return fmt::format("'{}'", choice.text);
    return "";
  }
  if (key.type == Type::boolean) return key.fallback == "true" ? "false" : "true";
  if (is_ranged(key)) return in_unit(key, key.max);
  if (key.name.ends_with("address")) return "'127.0.0.1:1'";
  return key.name == "path" || key.name == "key_file" ? "'/other'" : "";
}

TEST(Keys, WhatOnlyARestartChangesIsSaidAtItsPlace) {
  const auto parsed = [](const File& file) { return parse(file.text(), "F", test_sources()); };
  const auto in_force = parsed(File());
  ASSERT_TRUE(in_force);
  unsigned changed = 0;
  std::vector<std::string> refused;
  for (const Key& key : keys()) {
    if (key.release == Release::later || key.section.empty()) continue;
    File file;
    const std::string value = another_value(key);
    file.set(key.section, key.name, value);
    const auto next = parsed(file);
    if (value.empty() || !next) continue;
    ++changed;
    const auto problems = needing_restart(*in_force, *next);
    const std::size_t expected = key.same == nullptr ? 0 : 1;
    EXPECT_EQ(problems.size(), expected) << key.section << "." << key.name;
    if (problems.empty()) continue;
    refused.push_back(to_string(problems.front()));
  }
  EXPECT_GT(changed, 20u);
  const std::string_view why = " takes effect at a start only: restart the gateway, or set it back";
  const std::string_view another =
      " names another store than the one in force: name that one in [store.previous], so that its sessions "
      "can move. If only its name is another, restart";
  EXPECT_THAT(refused, testing::ElementsAre(fmt::format("F:2:11: gateway.threads{}", why),
                                            fmt::format("F:2:19: gateway.session_address{}", why),
                                            fmt::format("F:2:12: gateway.key_file{}", why),
                                            fmt::format("F:2:18: gateway.overlap_memory{}", why),
                                            fmt::format("F:2:17: gateway.hybrid_memory{}", why),
                                            fmt::format("F:2:11: admin.address{}", why),
                                            fmt::format("F:11:8: store.kind{}", another),
                                            fmt::format("F:11:8: store.path{}", another),
                                            fmt::format("F:11:14: store.durability{}", why),
                                            fmt::format("F:11:10: store.memory{}", why)));
}

TEST(Keys, AnotherStoreNeedsNoRestartIfSessionsCanMove) {
  const auto needing = [](std::string_view before, std::string_view after) {
    File first, second;
    const auto in_force = parse(first.text() + std::string(before), "F", test_sources());
    const auto next = parse(second.text() + std::string(after), "F", test_sources());
    EXPECT_TRUE(in_force && next);
    std::vector<std::string> lines;
    if (in_force && next)
      for (const Problem& problem : needing_restart(*in_force, *next))
        lines.push_back(problem.message.substr(0, problem.message.find(' ')));
    return lines;
  };
  using testing::ElementsAre;
  using testing::IsEmpty;
  constexpr std::string_view kRedis = "[store]\nkind = 'redis'\nurl = 'redis://h'\ntimeout = '1s'\n";
  constexpr std::string_view kOther = "[store]\nkind = 'redis'\nurl = 'redis://other'\n";
  const std::string disk = "[store]\npath = 'a'\ndurability = 'os'\n";
  EXPECT_THAT(needing(disk, kRedis), ElementsAre("store.kind"));
  EXPECT_THAT(needing(disk, "[store]\npath = 'b'\n"), ElementsAre("store.path"));
  EXPECT_THAT(needing(kRedis, kOther), ElementsAre("store.url"));
  EXPECT_THAT(needing(kRedis, std::string(kOther) + "[store.previous]\npath = 'a'\n"),
              ElementsAre("store.url"));
  EXPECT_THAT(needing(disk, std::string(kRedis) + "[store.previous]\npath = 'a'\n"), IsEmpty());
  EXPECT_THAT(needing("[store]\nkind = 'memory'\n", kRedis), IsEmpty());
  // How one that stays is opened is a matter of its opening.
  EXPECT_THAT(needing(kRedis, "[store]\nkind = 'redis'\nurl = 'redis://h'\n"), ElementsAre("store.timeout"));
  const std::string from_a = std::string(kRedis) + "[store.previous]\npath = 'a'\n";
  EXPECT_THAT(needing(from_a, from_a + "memory = '1MiB'\n"), ElementsAre("store.previous.memory"));
  EXPECT_THAT(needing(from_a, kRedis), IsEmpty());
}

TEST(Keys, AKeyThatWasRemovedIsMissedInItsSection) {
  File file;
  file.set("gateway", "threads", "2");
  const auto in_force = parse(file.text(), "F", test_sources());
  file.unset("gateway", "threads");
  file.set("gateway", "debug_headers", "true");
  const auto next = parse(file.text(), "F", test_sources());
  ASSERT_TRUE(in_force && next);
  const auto problems = needing_restart(*in_force, *next);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(to_string(problems.front()), testing::StartsWith("F:1:1: gateway.threads "));
}

TEST(Keys, RequiredKeysAreAskedFor) {
  for (const Key& key : keys()) {
    if (key.fallback != kRequired || key.section.empty()) continue;
    File file;
    file.unset(key.section, key.name);
    file.set(key.section, key.section == "listen" ? "tls" : "max_body", "'1'");
    EXPECT_THAT(problem_lines(file.text()),
                testing::Contains(testing::HasSubstr(fmt::format("]] needs {}", key.name))));
  }
}

/// The column "type" of docs/configuration.md.
std::string_view type_name(Type type) {
  switch (type) {
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::string:
      return "string";
    case Type::strings:
      return "strings";
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::choice:
      return "choice";
    case Type::table:
    case Type::tables:
    case Type::named:
      return "table";
  }
  return "";
}

std::string heading(std::string_view section) {
  if (section == "listen" || section == "route") return fmt::format("## `[[{}]]`", section);
  if (section == "session" || section == "service") return fmt::format("## `[{}.NAME]`", section);
  if (section.starts_with("service.")) return fmt::format("### `{}` of a service", section.substr(8));
  if (section.starts_with("listen.")) return fmt::format("### `{}` of `[[listen]]`", section.substr(7));
  return fmt::format("## `[{}]`", section);
}

TEST(Keys, EveryKeyIsDocumentedUnderItsSection) {
  std::ifstream in(STATEWAY_SOURCE_DIR "/docs/configuration.md");
  std::map<std::string, std::string> chapters;
  std::string line, chapter;
  while (std::getline(in, line)) {
    if (line.starts_with("#")) chapter = line;
    chapters[chapter] += line + "\n";
  }
  for (const Key& key : keys()) {
    if (key.section.empty() && key.release != Release::later) {
      const std::string section_heading =
          key.type == Type::table ? fmt::format("## `[{}]`", key.name) : heading(key.name);
      EXPECT_TRUE(chapters.contains(section_heading)) << section_heading;
    } else if (key.release == Release::later) {
      const std::string row = fmt::format("`{}`", key.name);
      EXPECT_THAT(chapters["## Not in this release"], testing::HasSubstr(row));
    } else {
      const std::string fallback = key.fallback == kRequired || key.fallback == kUnset
                                       ? std::string(key.fallback)
                                       : fmt::format("`{}`", key.fallback);
      const std::string row = fmt::format("| `{}` | {} | {} | ", key.name, type_name(key.type), fallback);
      const std::string& chapter_text = chapters[heading(key.section)];
      EXPECT_THAT(chapter_text, testing::HasSubstr(row)) << heading(key.section);
      const std::size_t at = chapter_text.find(row);
      const std::string whole_row =
          at == std::string::npos ? "" : chapter_text.substr(at, chapter_text.find('\n', at) - at);
      const bool at_start = key.same != nullptr && key.refusal == kAtStart;
      EXPECT_EQ(whole_row.ends_with("**Restart** |"), at_start) << whole_row;
      for (const Choice& choice : key.choices)
        EXPECT_THAT(chapters[choice.value == kLater ? "## Not in this release" : heading(key.section)],
                    testing::HasSubstr(fmt::format("`\"{}\"`", choice.text)));
    }
  }
}

}  // namespace
}  // namespace stateway::config
