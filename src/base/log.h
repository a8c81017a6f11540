// Structured log lines: a message and named values, as JSON or text, to standard error.
// Lines are handed to a thread of their own; when it cannot keep up the oldest are dropped and counted, so
// that a full pipe never stops a loop. Thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace stateway::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { json, text };

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral T>
  Field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

/// Starts the log thread. Before it, lines are written at once, as text. Call once, before other threads.
void start(Format format, Level least);
/// Of the lines from now on.
void set_format(Format format);
/// Writes what is queued. Called by main before it exits, and before a fork that goes on logging.
void flush();

void write(Level level, std::string_view message, std::span<const Field> fields);
bool enabled(Level level);

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) {
  if (enabled(Level::debug)) write(Level::debug, m, f);
}
inline void info(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::info, m, f); }
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::warn, m, f); }
inline void error(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::error, m, f); }

/// One finished line without its newline; what `write` sends. Exposed for tests.
/// `time_ms` is milliseconds since 1970. Control characters and invalid UTF-8 in values are escaped.
std::string render(Format format, std::int64_t time_ms, Level level, std::string_view message,
                   std::span<const Field> fields);

}  // namespace stateway::log
