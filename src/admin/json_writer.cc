#include "admin/json_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/check.h"
#include "http/problem.h"

namespace stateway::admin {

void JsonWriter::separate() {
  if (!std::exchange(first_, false)) out_ += ',';
}

void JsonWriter::open(char c) {
  separate();
  out_ += c;
  ++depth_;
  first_ = true;
}

void JsonWriter::close(char c) {
  out_ += c;
  --depth_;
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  separate();
  http::append_json_string(out_, name);
  out_ += ':';
  first_ = true;
}

void JsonWriter::text(std::string_view value) {
  separate();
  http::append_json_string(out_, value);
}

void JsonWriter::plain(std::string_view value) {
  separate();
  out_ += value;
}

void JsonWriter::decimal(double value) { plain(fmt::format("{:.2f}", value)); }

std::string time_text(WallMillis at) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(at)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

void JsonWriter::member_time(std::string_view name, WallMillis at) {
  key(name);
  if (at == 0) return plain("null");
  text(time_text(at));
}

std::string JsonWriter::finish() && {
  end_object();
  CHECK(depth_ == 0);
  out_ += '\n';
  return std::move(out_);
}

}  // namespace stateway::admin
