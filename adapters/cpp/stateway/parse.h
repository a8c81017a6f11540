// Reads JSON with every number as it stands: boost::json::parse of Boost 1.81 reads a sixth of the doubles of
// 17 digits wrong in the last one, which would change what the service never touched.
#pragma once

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace stateway::adapter {

namespace json = boost::json;

/// The value of `text`; nothing when it is no JSON, or nested more than 64 deep.
std::optional<json::value> parse(std::string_view text);

namespace detail {

/// Builds the value from what the parser finds. The names are Boost's.
class Builder {
 public:
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = max_array_size;
  static constexpr std::size_t max_string_size = max_array_size;
  static constexpr std::size_t max_key_size = max_array_size;

  json::value take() { return values_.release(); }

  bool on_document_begin(json::error_code&) {
    values_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    values_.push_array(n);
    return true;
  }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) {
    values_.push_object(n);
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    values_.push_chars(s);
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    values_.push_key(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    values_.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    values_.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view s, json::error_code&) {
    number_.append(s.data(), s.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    number_.clear();
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    number_.clear();
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view s, json::error_code&) {
    number_.append(s.data(), s.size());
    std::from_chars(number_.data(), number_.data() + number_.size(), number);  // the nearest there is
    number_.clear();
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack values_;
  std::string number_;
};

}  // namespace detail

inline std::optional<json::value> parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = 64;
  json::basic_parser<detail::Builder> parser(options);
  json::error_code wrong;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), wrong);
  if (wrong || read != text.size()) return std::nullopt;
  return parser.handler().take();
}

}  // namespace stateway::adapter
