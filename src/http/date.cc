#include "http/date.h"

#include <algorithm>
#include <chrono>

namespace stateway::http {
namespace {

constexpr std::int64_t kSecondMax = 253402300799;  // 9999-12-31T23:59:59Z

void put(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view DateText::at(WallMillis now) {
  const std::int64_t second = std::clamp<std::int64_t>(now / 1000, 0, kSecondMax);
  const std::string_view text(text_.data(), text_.size());
  if (second == second_) return text;
  second_ = second;

  using std::chrono::days, std::chrono::sys_days, std::chrono::weekday;
  const sys_days day{days{second / 86400}};
  const std::chrono::year_month_day date{day};
  const auto of_day = static_cast<unsigned>(second % 86400);
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

  constexpr std::string_view kShape = "Sun, 06 Nov 1994 08:49:37 GMT";
  kShape.copy(text_.data(), text_.size());
  kDays.copy(text_.data(), 3, weekday{day}.c_encoding() * 3);
  put(&text_[5], static_cast<unsigned>(date.day()), 2);
  kMonths.copy(&text_[8], 3, (static_cast<unsigned>(date.month()) - 1) * 3);
  put(&text_[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(&text_[17], of_day / 3600, 2);
  put(&text_[20], of_day / 60 % 60, 2);
  put(&text_[23], of_day % 60, 2);
  return text;
}

}  // namespace stateway::http
