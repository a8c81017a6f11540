// Decimal numbers that a double holds without changing their value. Inside of this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stateway::json {

/// The double whose shortest decimal form has the value of `text`, a number by RFC 8259 §6; nullopt when
/// there is none: too many digits, too large, too small.
std::optional<double> exact_double(std::string_view text);

/// Appends the shortest form that reads back as the same double, always with a fraction or an exponent, so
/// that it stays a double. `d` is finite.
void append_double(std::string& out, double d);

}  // namespace stateway::json
