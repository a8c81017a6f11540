// Lines of text in columns, for people.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace stateway {

using Row = std::vector<std::string>;

/// Prints rows under their headers. Columns are as wide as the first rows need, so that the others can be
/// printed as they come; a wider text moves what is behind it.
class Columns {
 public:
  Columns(std::FILE* out, Row headers) : out_(out), headers_(std::move(headers)) {}
  /// All rows have as many texts as there are headers.
  void print(const std::vector<Row>& rows);

 private:
  void line(const Row& row) const;

  std::FILE* out_;
  const Row headers_;
  std::vector<std::size_t> widths_;  // in characters; empty before the first rows
};

/// `text`, in which what a terminal would obey is a `?`: names may come from clients.
std::string printable(std::string_view text);

/// "2026-11-21T09:27:55Z" from "2026-11-21T09:27:55.419Z"; "-" from nothing.
std::string to_the_second(std::string_view time);

}  // namespace stateway
