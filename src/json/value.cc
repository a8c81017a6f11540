#include "json/value.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "json/raw.h"

namespace stateway::json {

static_assert(sizeof(bj::value) == 3 * sizeof(void*) && alignof(bj::value) <= alignof(void*));

Document::Document() noexcept { ::new (storage_) bj::value(); }
Document::Document(const Document& other) { ::new (storage_) bj::value(raw(other), bj::storage_ptr()); }
Document::Document(Document&& other) noexcept : arena_(std::move(other.arena_)) {
  ::new (storage_) bj::value(std::move(raw(other)));
  ::new (other.storage_) bj::value();  // else it would remember the arena
}
Document& Document::operator=(const Document& other) {
  if (this != &other) *this = Document(other);
  return *this;
}
Document& Document::operator=(Document&& other) noexcept {
  if (this != &other) {
    this->~Document();
    ::new (this) Document(std::move(other));
  }
  return *this;
}
Document::~Document() { raw(*this).~value(); }

Document Document::empty_object() {
  Document d;
  raw(d).emplace_object();
  return d;
}

bool Document::is_object() const { return raw(*this).is_object(); }
bool Document::is_array() const { return raw(*this).is_array(); }

namespace {

// Exact: an int64 or uint64 compared as a double could equal a neighbour it was rounded to.
bool equals_integer(double d, const bj::value& integer) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (d != std::trunc(d)) return false;
  if (integer.is_int64())
    return d >= -kTwo63 && d < kTwo63 && static_cast<std::int64_t>(d) == integer.get_int64();
  return d >= 0 && d < 2 * kTwo63 && static_cast<std::uint64_t>(d) == integer.get_uint64();
}

bool equal_numbers(const bj::value& a, const bj::value& b) {
  if (a.is_double() && b.is_double()) return a.get_double() == b.get_double();
  if (a.is_double()) return equals_integer(a.get_double(), b);
  if (b.is_double()) return equals_integer(b.get_double(), a);
  return a == b;
}

bool equal(const bj::value& a, const bj::value& b) {
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), equal);
  if (!a.is_object()) return a == b;
  const bj::object& left = a.get_object();
  const bj::object& right = b.get_object();
  if (left.size() != right.size()) return false;
  for (const auto& member : left) {
    const bj::value* other = right.if_contains(member.key());
    if (other == nullptr || !equal(member.value(), *other)) return false;
  }
  return true;
}

}  // namespace

bool same(const bj::value* a, const bj::value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return equal(*a, *b);
}

bool operator==(const Document& a, const Document& b) { return equal(raw(a), raw(b)); }

}  // namespace stateway::json
