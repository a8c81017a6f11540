// RESP2, the protocol of Redis and Valkey: commands out, replies in. No I/O. hiredis stays inside the .cc.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct redisReader;

namespace stateway::store::redis {

struct Reply {
  enum class Kind : std::uint8_t { nil, integer, text, status, error, array };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;             // of text, status ("OK") and error ("MOVED 3999 127.0.0.1:6381")
  std::vector<Reply> elements;  // of an array

  bool operator==(const Reply&) const = default;
  bool is_nil() const { return kind == Kind::nil; }
  bool is_error() const { return kind == Kind::error; }
  /// An error whose first word is `word`: "NOSCRIPT".
  bool is_error(std::string_view word) const {
    return is_error() && text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
  }
};

/// One command as octets to send. `words` are binary-safe. Pure; any thread.
std::string format_command(std::span<const std::string_view> words);
inline std::string format_command(std::initializer_list<std::string_view> words) {
  return format_command(std::span(words.begin(), words.size()));
}

/// Puts replies together from pieces, however they were cut. Not thread-safe.
class ReplyReader {
 public:
  static constexpr std::size_t kElementsMax = 1u << 20;  // of one reply, at all depths
  static constexpr std::size_t kBytesMax = 256u << 20;   // of one reply, on the wire: no record is as large

  ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;
  ~ReplyReader();

  void feed(std::string_view octets);
  /// The next reply; nullopt: more octets are needed. Errors: Code::io with a reason for what is no RESP2, or
  /// too large. Then every later call fails too.
  Result<std::optional<Reply>> next();

 private:
  struct Closer {
    void operator()(redisReader* reader) const;
  };
  std::size_t elements_left_ = kElementsMax;
  std::unique_ptr<redisReader, Closer> reader_;
};

}  // namespace stateway::store::redis
