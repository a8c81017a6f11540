// CHECK(condition): a broken invariant aborts, in release too. Never on input from outside.
#pragma once

namespace stateway {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) [[unlikely]]                              \
      ::stateway::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
