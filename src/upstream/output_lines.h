// Cuts the output of a process into lines.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace stateway::upstream {

/// Not thread-safe.
class OutputLines {
 public:
  /// A line longer than this comes in pieces.
  static constexpr std::size_t kLineBytesMax = 8 * 1024;

  /// `sink` gets each line without its LF or CRLF; empty lines are dropped.
  explicit OutputLines(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}

  void add(std::string_view octets);
  /// Hands over a last line that has no end.
  void flush();

 private:
  void emit(std::string_view line);

  std::function<void(std::string_view)> sink_;
  std::string partial_;
};

}  // namespace stateway::upstream
