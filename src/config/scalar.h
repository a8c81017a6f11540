// The little languages inside strings: durations, sizes, ${NAME}; and the nearest name for "did you mean".
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace stateway::config {

/// "250ms", "30s", "5m", "24h", "7d"; "0" needs no unit. nullopt for anything else, and beyond 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Bytes: "512", "64KiB", "1MiB", "2GiB". nullopt for anything else, and beyond 2^62.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// As a file would say them, in the largest unit that fits: "90s", "24h", "0ms"; "64KiB", "100".
std::string duration_text(std::int64_t milliseconds);
std::string size_text(std::int64_t bytes);

/// The token in a token file's `content`: one line of visible ASCII characters without blanks, at most 4096.
/// The error is a sentence without the token.
std::expected<Secret, std::string> token_of(std::string content);

/// Replaces every ${NAME} by lookup(NAME), once: what a variable holds is not read again.
/// The error is a sentence that holds names, never values. A '$' without '{' stands for itself.
std::expected<std::string, std::string> expand_environment(
    std::string_view text, const std::function<std::optional<std::string>(const std::string&)>& lookup);

/// The candidate that differs least from `name` (letters changed, missing, added or swapped), if that is at
/// most a third of its letters; the first of equals.
std::optional<std::string_view> closest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace stateway::config
