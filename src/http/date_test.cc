#include "http/date.h"

#include <gtest/gtest.h>

namespace stateway::http {
namespace {

TEST(DateText, Table) {
  DateText date;
  const std::pair<WallMillis, std::string_view> table[] = {
      {784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"},  // RFC 9110 §5.6.7
      {784111777999, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {951782399000, "Mon, 28 Feb 2000 23:59:59 GMT"},
      {951782400000, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {1'700'000'000'000, "Tue, 14 Nov 2023 22:13:20 GMT"},
      {253402300799000, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {253402300800000, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-5000, "Thu, 01 Jan 1970 00:00:00 GMT"},
  };
  for (const auto& [time, text] : table) EXPECT_EQ(date.at(time), text) << time;
}

}  // namespace
}  // namespace stateway::http
