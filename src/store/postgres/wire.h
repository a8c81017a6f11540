// Values of statements and of their results, in the binary format of PostgreSQL's protocol.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct pg_result;

namespace stateway::store::postgres {

/// A statement that every connection prepares. Both texts live for ever.
struct Statement {
  const char* name;
  const char* sql;
};

/// The values of a statement's parameters, in their order.
class Values {
 public:
  Values& octets(std::string value);   // bytea
  Values& number(std::int64_t value);  // bigint
  Values& small(std::int32_t value);   // integer
  Values& octets(std::span<const std::string_view> list);
  Values& numbers(std::span<const std::int64_t> list);
  Values& smalls(std::span<const std::int32_t> list);  // integer[]
  Values& tiny(std::span<const std::int16_t> list);    // smallint[]
  Values& tiny(std::int16_t value);                    // smallint
  const std::vector<std::string>& encoded() const { return encoded_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Values& add(std::string value);
  std::vector<std::string> encoded_;
  std::size_t bytes_ = 0;
};

/// What the server says went wrong.
struct Refusal {
  std::string state;    // SQLSTATE, five characters; empty: the connection broke
  std::string message;  // one line

  /// Of a statement whose transaction another one has ended.
  static constexpr std::string_view kAborted = "25P02";
  bool of_class(std::string_view start) const { return state.starts_with(start); }
};

/// The rows of a statement, binary; empty without a result. Views into it die with it.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result) : result_(result) {}

  int count() const;
  std::string_view octets(int row, int column) const;
  std::int64_t number(int row, int column) const;                // smallint, integer and bigint
  std::vector<std::int64_t> numbers(int row, int column) const;  // bigint[]
  /// Of the results of plain queries, which are text.
  std::string_view text(int row, int column) const { return octets(row, column); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

using Answer = std::expected<Rows, Refusal>;

/// Takes over `result`.
Answer answer_of(pg_result* result);
/// libpq's message about a connection that failed, without where, and the server's code if it says one.
Refusal refusal_of(std::string_view message);

}  // namespace stateway::store::postgres
