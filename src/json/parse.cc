#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include "json/number.h"
#include "json/raw.h"

namespace stateway::json {
namespace {

/// Takes the parser's events and builds the value, refusing what Boost.JSON's own builder would silently
/// change. Values wait on a stack until their container ends, so that each container is allocated once, at
/// its size.
class Builder {
 public:
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = max_array_size;
  static constexpr std::size_t max_string_size = max_array_size;
  static constexpr std::size_t max_key_size = max_array_size;

  explicit Builder(Arena& arena) : storage_(arena.storage()) {
    values_.reserve(32);
    keys_.reserve(512);
    key_ends_.reserve(64);
  }

  bj::value take() { return std::move(values_.front()); }
  /// Why an event was refused; empty when the text itself is no JSON.
  const char* refusal() const { return refusal_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }

  bool on_array_end(std::size_t n, bj::error_code&) {
    bj::array array(storage_);
    array.reserve(n);
    const auto first = values_.end() - static_cast<std::ptrdiff_t>(n);
    for (auto it = first; it != values_.end(); ++it) array.push_back(std::move(*it));
    values_.erase(first, values_.end());
    values_.emplace_back(std::move(array));
    return true;
  }

  bool on_object_end(std::size_t n, bj::error_code& ec) {
    bj::object object(storage_);
    object.reserve(n);
    const std::size_t value = values_.size() - n;
    const std::size_t key = key_ends_.size() - n;
    const std::size_t keys_begin = key == 0 ? 0 : key_ends_[key - 1];
    std::size_t begin = keys_begin;
    for (std::size_t i = 0; i < n; ++i) {
      const bj::string_view name(keys_.data() + begin, key_ends_[key + i] - begin);
      if (!object.emplace(name, std::move(values_[value + i])).second)
        return refuse(ec, "a name twice in one object");
      begin = key_ends_[key + i];
    }
    keys_.resize(keys_begin);
    key_ends_.resize(key);
    values_.erase(values_.begin() + static_cast<std::ptrdiff_t>(value), values_.end());
    values_.emplace_back(std::move(object));
    return true;
  }

  bool on_key_part(bj::string_view s, std::size_t, bj::error_code&) {
    keys_.append(s.data(), s.size());
    return true;
  }
  bool on_key(bj::string_view s, std::size_t, bj::error_code&) {
    keys_.append(s.data(), s.size());
    key_ends_.push_back(keys_.size());
    return true;
  }
  bool on_string_part(bj::string_view s, std::size_t, bj::error_code&) {
    part_.append(s.data(), s.size());
    return true;
  }
  bool on_string(bj::string_view s, std::size_t, bj::error_code&) {
    if (part_.empty()) {
      values_.emplace_back(s, storage_);
    } else {
      part_.append(s.data(), s.size());
      values_.emplace_back(bj::string_view(part_), storage_);
      part_.clear();
    }
    return true;
  }

  // Never called: the whole text is in one buffer.
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t i, bj::string_view, bj::error_code&) {
    values_.emplace_back(i, storage_);
    return true;
  }
  bool on_uint64(std::uint64_t u, bj::string_view, bj::error_code&) {
    values_.emplace_back(u, storage_);
    return true;
  }
  bool on_double(double, bj::string_view text, bj::error_code& ec) {
    const std::optional<double> d = exact_double(view(text));
    if (!d) return refuse(ec, "a number that would not be kept exactly");
    values_.emplace_back(*d, storage_);
    return true;
  }
  bool on_bool(bool b, bj::error_code&) {
    values_.emplace_back(b, storage_);
    return true;
  }
  bool on_null(bj::error_code&) {
    values_.emplace_back(nullptr, storage_);
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  bool refuse(bj::error_code& ec, const char* why) {
    refusal_ = why;
    ec = make_error_code(bj::error::syntax);
    return false;
  }

  // Small texts, which are nearly all, leave the stack's memory only for what they keep.
  std::array<std::byte, 4096> scratch_;
  std::pmr::monotonic_buffer_resource scratch_resource_{scratch_.data(), scratch_.size()};
  bj::storage_ptr storage_;
  std::pmr::vector<bj::value> values_{&scratch_resource_};
  std::pmr::string keys_{&scratch_resource_};  // of all open objects, one behind the other
  std::pmr::vector<std::size_t> key_ends_{&scratch_resource_};
  std::pmr::string part_{&scratch_resource_};  // of a string that came in parts
  const char* refusal_ = nullptr;
};

const char* reason(const bj::error_code& ec) {
  if (ec == bj::error::too_deep) return "nested too deep";
  if (ec == bj::error::incomplete) return "the end comes too early";
  if (ec == bj::error::illegal_leading_surrogate || ec == bj::error::illegal_trailing_surrogate ||
      ec == bj::error::expected_utf16_escape)
    return "a lone surrogate";
  if (ec == bj::error::exponent_overflow) return "a number that would not be kept exactly";
  return "not JSON";
}

// Enough for most documents, so that they take one block.
std::size_t first_block_bytes(std::size_t text_bytes) {
  return std::clamp<std::size_t>(text_bytes * 8, 1024, 64 * 1024);
}

std::unexpected<Error> refused(const char* why, std::size_t at) {
  return fail(Code::bad_patch, Side::upstream, fmt::format("{} at byte {}", why, at));
}

}  // namespace

Result<Document> parse_front(std::string_view& text, const ParseLimits& limits) {
  if (text.size() > limits.bytes_max)
    return fail(Code::bad_patch, Side::upstream,
                fmt::format("{} bytes where {} are allowed", text.size(), limits.bytes_max));
  try {
    bj::parse_options options;
    options.max_depth = static_cast<std::size_t>(limits.depth_max);
    auto arena = std::make_unique<Arena>(first_block_bytes(text.size()));
    bj::basic_parser<Builder> parser(options, *arena);
    bj::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (ec) {
      const char* refusal = parser.handler().refusal();
      return refused(refusal != nullptr ? refusal : reason(ec), used);
    }
    text.remove_prefix(used);
    return DocumentAccess::make(std::move(arena), parser.handler().take());
  } catch (const std::exception& e) {
    return fail(Code::internal, Side::self, fmt::format("reading JSON: {}", e.what()));
  }
}

Result<Document> parse(std::string_view text, const ParseLimits& limits) {
  std::string_view rest = text;
  Result<Document> out = parse_front(rest, limits);
  if (out && !rest.empty()) return refused("something after the value", text.size() - rest.size());
  return out;
}

}  // namespace stateway::json
