#include "store/postgres/wire.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace stateway::store::postgres {
namespace {

// Object ids of types, the same in every PostgreSQL (its pg_type.dat).
enum class Type : std::uint32_t { bytea = 17, int8 = 20, int2 = 21, int4 = 23 };

template <class T>
void put(std::string& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
}

std::int64_t get(std::string_view octets) {
  CHECK(octets.size() == 2 || octets.size() == 4 || octets.size() == 8);
  auto value = static_cast<std::uint64_t>((octets[0] & 0x80) != 0 ? -1 : 0);
  for (const char c : octets) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

// A one-dimensional array without nulls (array_send in its arrayfuncs.c).
std::string array_head(std::size_t count, Type type) {
  std::string out;
  put<std::int32_t>(out, count == 0 ? 0 : 1);
  put<std::int32_t>(out, 0);
  put(out, static_cast<std::uint32_t>(type));
  if (count == 0) return out;
  put(out, static_cast<std::int32_t>(count));
  put<std::int32_t>(out, 1);
  return out;
}

template <class T>
std::string array_of(std::span<const T> list, Type type) {
  std::string out = array_head(list.size(), type);
  for (const T value : list) {
    put<std::int32_t>(out, sizeof(T));
    put(out, value);
  }
  return out;
}

template <class T>
std::string one(T value) {
  std::string out;
  put(out, value);
  return out;
}

}  // namespace

Values& Values::add(std::string value) {
  bytes_ += value.size();
  encoded_.push_back(std::move(value));
  return *this;
}

Values& Values::octets(std::string value) { return add(std::move(value)); }
Values& Values::number(std::int64_t value) { return add(one(value)); }
Values& Values::small(std::int32_t value) { return add(one(value)); }
Values& Values::tiny(std::int16_t value) { return add(one(value)); }
Values& Values::numbers(std::span<const std::int64_t> list) { return add(array_of(list, Type::int8)); }
Values& Values::smalls(std::span<const std::int32_t> list) { return add(array_of(list, Type::int4)); }
Values& Values::tiny(std::span<const std::int16_t> list) { return add(array_of(list, Type::int2)); }

Values& Values::octets(std::span<const std::string_view> list) {
  std::string out = array_head(list.size(), Type::bytea);
  for (const std::string_view value : list) {
    put(out, static_cast<std::int32_t>(value.size()));
    out += value;
  }
  return add(std::move(out));
}

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

int Rows::count() const { return PQntuples(result_.get()); }

std::string_view Rows::octets(int row, int column) const {
  CHECK(row < count() && column < PQnfields(result_.get()));
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::number(int row, int column) const { return get(octets(row, column)); }

std::vector<std::int64_t> Rows::numbers(int row, int column) const {
  constexpr std::size_t kHead = 20, kEach = 12;
  std::string_view array = octets(row, column);
  std::vector<std::int64_t> out;
  if (array.size() < kHead) return out;
  for (array.remove_prefix(kHead); array.size() >= kEach; array.remove_prefix(kEach))
    out.push_back(get(array.substr(4, 8)));
  return out;
}

Answer answer_of(pg_result* result) {
  Rows rows(result);
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      return rows;
    case PGRES_PIPELINE_ABORTED:
      return std::unexpected(Refusal{std::string(Refusal::kAborted), "ended with its transaction"});
    default:
      break;
  }
  const auto field = [result](int which) {
    const char* const text = PQresultErrorField(result, which);
    return std::string(text == nullptr ? "" : text);
  };
  Refusal refusal{.state = field(PG_DIAG_SQLSTATE), .message = field(PG_DIAG_MESSAGE_PRIMARY)};
  if (refusal.state.empty()) refusal = refusal_of(PQresultErrorMessage(result));
  return std::unexpected(std::move(refusal));
}

// connection to server at "127.0.0.1", port 5432 failed: FATAL:  28P01: password authentication failed …
// There may be such a line for each way that was tried; the last one counts.
Refusal refusal_of(std::string_view message) {
  Refusal refusal;
  std::string_view told;
  for (std::string_view rest = message; !rest.empty();) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    constexpr std::string_view kFailed = " failed: ";
    if (const auto at = line.find(kFailed); line.starts_with("connection to server") && at != line.npos)
      told = line.substr(at + kFailed.size());
    else if (told.empty())
      told = line;
  }
  constexpr std::string_view kSeverity = ":  ";
  if (const auto at = told.find(kSeverity); at != told.npos) {
    told.remove_prefix(at + kSeverity.size());
    const auto is_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    if (told.size() > 7 && told.substr(5, 2) == ": " && std::ranges::all_of(told.substr(0, 5), is_code)) {
      refusal.state = told.substr(0, 5);
      told.remove_prefix(7);
    }
  }
  refusal.message = told.empty() ? "the connection broke" : std::string(told);
  return refusal;
}

}  // namespace stateway::store::postgres
