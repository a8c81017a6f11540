#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/clock.h"

namespace stateway::log {
namespace {

constexpr std::size_t kQueueLines = 8192;  // about 2 MiB of lines at most

struct State {
  std::atomic<Format> format = Format::text;
  std::atomic<Level> least = Level::info;
  std::shared_ptr<spdlog::logger> logger;
};
State& state() {  // process-wide like standard error itself
  static State s;
  return s;
}

constexpr std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "info";
}

using Buffer = fmt::memory_buffer;
void put(Buffer& out, std::string_view s) { out.append(s.data(), s.data() + s.size()); }

void put_escaped(Buffer& out, std::string_view s) {
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      put(out, "\\n");
    } else if (u < 0x20 || u >= 0x7f) {  // octets beyond ASCII as \u00XX: a line is always valid JSON
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(u));
    } else {
      out.push_back(c);
    }
  }
}

void put_value(Buffer& out, const Field& field, bool quote) {
  if (const auto* s = std::get_if<std::string_view>(&field.value)) {
    if (quote) out.push_back('"');
    put_escaped(out, *s);
    if (quote) out.push_back('"');
  } else if (const auto* i = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *i);
  } else if (const auto* d = std::get_if<double>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{:.3f}", *d);
  } else {
    put(out, std::get<bool>(field.value) ? "true" : "false");
  }
}

bool needs_quotes(const Field& field) {
  const auto* s = std::get_if<std::string_view>(&field.value);
  return s != nullptr && (s->empty() || s->find_first_of(" =\"") != std::string_view::npos);
}

}  // namespace

std::string render(Format format, std::int64_t time_ms, Level level, std::string_view message,
                   std::span<const Field> fields) {
  Buffer out;
  const auto seconds = static_cast<std::time_t>(time_ms / 1000);
  const bool json = format == Format::json;
  put(out, json ? "{\"time\":\"" : "");
  fmt::format_to(std::back_inserter(out), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                 time_ms % 1000);
  if (json) {
    fmt::format_to(std::back_inserter(out), R"(","level":"{}","msg":")", level_name(level));
    put_escaped(out, message);
    out.push_back('"');
  } else {
    fmt::format_to(std::back_inserter(out), " {:5} ", level_name(level));
    put_escaped(out, message);
  }
  for (const Field& f : fields) {
    if (json)
      fmt::format_to(std::back_inserter(out), ",\"{}\":", f.name);
    else
      fmt::format_to(std::back_inserter(out), " {}=", f.name);
    put_value(out, f, json ? std::holds_alternative<std::string_view>(f.value) : needs_quotes(f));
  }
  if (json) out.push_back('}');
  return fmt::to_string(out);
}

void start(Format format, Level least) {
  State& s = state();
  s.format = format;
  s.least = least;
  spdlog::init_thread_pool(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  s.logger = std::make_shared<spdlog::async_logger>("stateway", std::move(sink), spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  s.logger->set_pattern("%v");
  s.logger->set_level(spdlog::level::trace);
}

void set_format(Format format) { state().format.store(format, std::memory_order_relaxed); }

void flush() {
  State& s = state();
  if (!s.logger) return;
  const auto logger = std::move(s.logger);  // dies after the thread that still uses it
  spdlog::shutdown();                       // joins the thread, which writes what is queued
}

bool enabled(Level level) { return level >= state().least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, std::span<const Field> fields) {
  if (!enabled(level)) return;
  State& s = state();
  const std::string line =
      render(s.format.load(std::memory_order_relaxed), SystemClock().now(), level, message, fields);
  if (s.logger)
    s.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  else
    fmt::print(stderr, "{}\n", line);
}

}  // namespace stateway::log
