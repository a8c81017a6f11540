// A TOML document as a plain tree in which every key and value knows its place. toml.cc makes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stateway::config {

/// Where something stands in the file: both from 1, columns in characters.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  auto operator<=>(const Place&) const = default;
};

struct Member;

struct Value {
  enum class Kind : std::uint8_t { boolean, integer, number, string, date, array, table };

  Kind kind = Kind::table;
  Place place;  // tables: of their header or brace
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;             // string
  std::vector<Value> items;     // array
  std::vector<Member> members;  // table, in the order of the file
};

struct Member {
  std::string name;
  Place place;  // of the key
  Value value;
};

}  // namespace stateway::config
