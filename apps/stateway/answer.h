// The JSON that the admin API answers with, for reading.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stateway {

/// One value. What is not there, or of another type, reads as absent: an older gateway says less.
class Answer {
 public:
  /// Absent when `body` is no JSON.
  static Answer parse(std::string_view body);

  bool absent() const { return value_.is_null(); }
  Answer member(std::string_view name) const;
  std::vector<Answer> elements(std::string_view name) const;
  /// The texts of an array.
  std::vector<std::string> texts(std::string_view name) const;
  /// Empty for what is no text.
  std::string_view text(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  bool truth(std::string_view name) const;
  /// As one line of JSON.
  std::string json() const;

 private:
  explicit Answer(boost::json::value value) : value_(std::move(value)) {}
  const boost::json::value* find(std::string_view name) const;

  boost::json::value value_;
};

}  // namespace stateway
