// The inside of a Document, for this module's .cc files only.
#pragma once

#include <boost/json/value.hpp>
#include <new>

#include "json/value.h"

namespace stateway::json {

namespace bj = boost::json;

class DocumentAccess {
 public:
  static bj::value& value(Document& d) { return *std::launder(reinterpret_cast<bj::value*>(d.storage_)); }
  static const bj::value& value(const Document& d) {
    return *std::launder(reinterpret_cast<const bj::value*>(d.storage_));
  }
};

inline bj::value& raw(Document& d) { return DocumentAccess::value(d); }
inline const bj::value& raw(const Document& d) { return DocumentAccess::value(d); }

/// Deep equality by value, as operator== of Document; two null pointers (nothing there) are equal.
bool same(const bj::value* a, const bj::value* b);

inline std::string_view view(bj::string_view s) { return {s.data(), s.size()}; }

}  // namespace stateway::json
