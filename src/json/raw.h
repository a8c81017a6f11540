// The inside of a Document, for this module's .cc files only.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <new>
#include <utility>

#include "json/value.h"

namespace stateway::json {

namespace bj = boost::json;

/// Memory of one document, given back all at once: a third of the cost of a request's JSON is malloc and free
/// else. What a patch removes stays until the document goes; json/edit.h bounds what patches can pile up.
class Arena {
 public:
  explicit Arena(std::size_t first_block_bytes) : resource_(first_block_bytes) {}
  bj::storage_ptr storage() { return &resource_; }

 private:
  bj::monotonic_resource resource_;
};

class DocumentAccess {
 public:
  /// `value` lies in `arena`.
  static Document make(std::unique_ptr<Arena> arena, bj::value&& value) {
    Document out;
    ::new (out.storage_) bj::value(std::move(value));  // in place of a null, which owns nothing
    out.arena_ = std::move(arena);
    return out;
  }
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
