// JSON documents that keep exactly what was written: strict in, one ASCII line out.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stateway::json {

class Arena;
class DocumentAccess;

/// One JSON value and all below it. Copies are deep; a moved-from document is `null`. The representation is
/// known to this module's .cc files alone. Not thread-safe while it is being changed.
class Document {
 public:
  Document() noexcept;  // null
  Document(const Document& other);
  Document(Document&& other) noexcept;
  Document& operator=(const Document& other);
  Document& operator=(Document&& other) noexcept;
  ~Document();

  static Document empty_object();

  bool is_object() const;
  bool is_array() const;

  /// Members are unordered; numbers are equal when their values are (1, 1.0 and 10e-1). RFC 6902 §4.6.
  friend bool operator==(const Document& a, const Document& b);

 private:
  friend class DocumentAccess;
  std::unique_ptr<Arena> arena_;  // of a parsed document: all its memory; outlives what lies in storage_
  alignas(void*) std::byte storage_[3 * sizeof(void*)];
};

struct ParseLimits {
  std::size_t bytes_max = std::numeric_limits<std::size_t>::max();  // of the text
  int depth_max = 32;                                               // arrays and objects inside each other
};

/// Parses a whole text. Refused, with Code::bad_patch and a context that says what and at which byte:
/// whatever is not RFC 8259, names that occur twice in one object, numbers that would not be kept exactly
/// (integers beyond 64 bits, decimals that a double rounds), invalid UTF-8, lone surrogates, anything after
/// the value, and texts over the limits. The sign of an integer zero is not kept. Pure; any thread.
Result<Document> parse(std::string_view text, const ParseLimits& limits = {});

/// Parses one value at the front of `text` and takes it off, with the blanks around it. Errors as `parse`,
/// which leave `text` as it was.
Result<Document> parse_front(std::string_view& text, const ParseLimits& limits = {});

/// One line of printable ASCII, fit for a field value; other characters as \u escapes. Doubles are written as
/// short as reading them back allows, and stay doubles. `parse` of the result equals `document`.
std::string to_ascii(const Document& document);

/// The same, behind what `out` holds already.
void append_ascii(std::string& out, const Document& document);

}  // namespace stateway::json
