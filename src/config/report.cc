#include "config/report.h"

#include <algorithm>
#include <tuple>

namespace stateway::config {

std::vector<Problem> Report::ordered(std::vector<Problem> list) {
  const auto key = [](const Problem& p) { return std::tie(p.line, p.column, p.message); };
  std::ranges::sort(list, [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

std::vector<std::string> Report::warnings() const {
  std::vector<std::string> lines;
  for (const Problem& warning : ordered(warnings_)) lines.push_back(to_string(warning));
  return lines;
}

std::string to_string(const Problem& problem) {
  if (problem.line == 0) return problem.file + ": " + problem.message;
  return problem.file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": " +
         problem.message;
}

}  // namespace stateway::config
