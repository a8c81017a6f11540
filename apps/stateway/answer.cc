#include "stateway/answer.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace stateway {

namespace bj = boost::json;

Answer Answer::parse(std::string_view body) {
  bj::error_code wrong;
  bj::value value = bj::parse(body, wrong);
  return Answer(wrong ? bj::value() : std::move(value));
}

const bj::value* Answer::find(std::string_view name) const {
  const bj::object* object = value_.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

Answer Answer::member(std::string_view name) const {
  const bj::value* value = find(name);
  return Answer(value == nullptr ? bj::value() : *value);
}

std::vector<Answer> Answer::elements(std::string_view name) const {
  std::vector<Answer> out;
  const bj::value* value = find(name);
  if (value == nullptr || !value->is_array()) return out;
  for (const bj::value& element : value->get_array()) out.push_back(Answer(element));
  return out;
}

std::vector<std::string> Answer::texts(std::string_view name) const {
  std::vector<std::string> out;
  const bj::value* value = find(name);
  if (value == nullptr || !value->is_array()) return out;
  for (const bj::value& element : value->get_array())
    if (element.is_string()) out.emplace_back(element.get_string());
  return out;
}

std::string_view Answer::text(std::string_view name) const {
  const bj::value* value = find(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::optional<std::int64_t> Answer::number(std::string_view name) const {
  const bj::value* value = find(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

bool Answer::truth(std::string_view name) const {
  const bj::value* value = find(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string Answer::json() const { return bj::serialize(value_); }

}  // namespace stateway
