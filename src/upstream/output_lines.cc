#include "upstream/output_lines.h"

#include <algorithm>

namespace stateway::upstream {

void OutputLines::add(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t room = kLineBytesMax - partial_.size();
    const std::size_t end = octets.substr(0, room + 1).find('\n');
    const std::size_t taken = end != std::string_view::npos ? end : std::min(octets.size(), room);
    const bool complete = end != std::string_view::npos || octets.size() > room;
    if (complete && partial_.empty()) {
      emit(octets.substr(0, taken));
    } else {
      partial_.append(octets.substr(0, taken));
      if (complete) flush();
    }
    octets.remove_prefix(taken + (end != std::string_view::npos ? 1 : 0));
  }
}

void OutputLines::flush() {
  emit(partial_);
  partial_.clear();
}

void OutputLines::emit(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty()) sink_(line);
}

}  // namespace stateway::upstream
