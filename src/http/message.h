// The head of a request or a response as the parsers leave it: views into the bytes that were read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace stateway::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, trace, connect, other };

/// Methods are case-sensitive: "get" is `other`. RFC 9110 §9.1.
Method method_of(std::string_view text);
/// No effect asked for by the client: GET, HEAD, OPTIONS, TRACE. RFC 9110 §9.2.1.
constexpr bool is_safe(Method m) {
  return m == Method::get || m == Method::head || m == Method::options || m == Method::trace;
}
/// Sending it twice asks for the same as once: safe methods, PUT, DELETE. RFC 9110 §9.2.2.
constexpr bool is_idempotent(Method m) { return is_safe(m) || m == Method::put || m == Method::delete_; }

/// Every field the gateway looks at or relies upon; found once per field, when it is parsed.
enum class FieldId : std::uint8_t {
  other,
  accept,
  age,
  allow,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_length,
  content_range,
  content_type,
  cookie,
  date,
  etag,
  expect,
  forwarded,
  host,
  http2_settings,
  idempotency_key,
  keep_alive,
  last_modified,
  location,
  origin,
  proxy_authenticate,
  proxy_authentication_info,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  retry_after,
  sec_fetch_site,
  sec_websocket_accept,
  sec_websocket_extensions,
  sec_websocket_key,
  sec_websocket_protocol,
  sec_websocket_version,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_other,  // any other name that begins with `x-forwarded-` or `x_forwarded_`, or mixes `-` and
                      // `_` in it
  x_forwarded_proto,
  x_request_id,
  stateway,  // any name that begins with `stateway-` or `stateway_`; tell them apart by name
  kLast = stateway,
};

/// The field's id; ASCII case does not matter. Any octets may come in. Pure.
FieldId field_id(std::string_view name);

struct Field {
  std::string_view name;
  std::string_view value;  // without the blanks around it
  FieldId id = FieldId::other;
};

/// A field section in the order it came. Reusable: clear() keeps the capacity.
class Fields {
 public:
  /// Classifies and appends. The views must outlive this object's use of them.
  void add(std::string_view name, std::string_view value) { add(Field{name, value, field_id(name)}); }
  void add(const Field& field) {
    fields_.push_back(field);
    seen_ |= bit(field.id);
  }
  void clear() {
    fields_.clear();
    seen_ = 0;
  }
  void reserve(std::size_t n) { fields_.reserve(n); }

  /// Whether there is a field of that id; costs one bit test.
  bool has(FieldId id) const { return (seen_ & bit(id)) != 0; }
  /// The first field of that id or name (ASCII case ignored), or nullptr. Valid until the next add or clear.
  const Field* find(FieldId id) const;
  const Field* find(std::string_view name) const;
  /// The first field's value, or an empty view.
  std::string_view value_of(FieldId id) const;
  std::size_t count(FieldId id) const;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  static_assert(static_cast<unsigned>(FieldId::kLast) < 64);
  static constexpr std::uint64_t bit(FieldId id) { return std::uint64_t{1} << static_cast<unsigned>(id); }

  std::vector<Field> fields_;
  std::uint64_t seen_ = 0;
};

/// RFC 9112 §3. All views point into the parsed bytes.
struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  // as sent; see target.h
  int minor = 1;            // HTTP/1.minor: 0 or 1
  Fields fields;

  void clear();
};

/// RFC 9112 §4. All views point into the parsed bytes.
struct ResponseHead {
  int status = 0;  // 100–999
  std::string_view reason;
  int minor = 1;
  Fields fields;

  void clear();
};

/// Takes the next non-empty member, trimmed, off the front of a comma-separated list (RFC 9110 §5.6.1) whose
/// members hold no quoted strings. False when there is none left.
bool next_list_member(std::string_view& rest, std::string_view& member);

}  // namespace stateway::http
