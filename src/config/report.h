// What is wrong or odd in one file, gathered in any order and given back by place.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace stateway::config {

/// Not thread-safe.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void problem(Place place, std::string message) { add(problems_, place, std::move(message)); }
  void warning(Place place, std::string message) { add(warnings_, place, "warning: " + std::move(message)); }

  bool clean() const { return problems_.empty(); }
  /// By line and column; the same complaint about the same place comes once.
  std::vector<Problem> problems() const { return ordered(problems_); }
  std::vector<std::string> warnings() const;

 private:
  void add(std::vector<Problem>& list, Place place, std::string message) {
    list.push_back({file_, place.line, place.column, std::move(message)});
  }
  static std::vector<Problem> ordered(std::vector<Problem> list);

  std::string file_;
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
};

}  // namespace stateway::config
