// What a cart does with its session, whatever keeps that: `Session` has get(name) and edit(), which give its
// JSON document to read and to change.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "wire/server.h"

namespace stateway::example {

inline constexpr std::string_view kItems = "/api/cart/items";
inline constexpr std::size_t kIdMax = 64;     // octets
inline constexpr std::size_t kNameMax = 100;  // octets

inline wire::Response answer(int status, std::string_view type, std::string body) {
  wire::Response out;
  out.status = status;
  out.fields = {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}};
  out.body = std::move(body);
  return out;
}

inline wire::Response answer(int status, const boost::json::value& body) {
  return answer(status, "application/json", boost::json::serialize(body) + "\n");
}

inline const boost::json::value* member(const boost::json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

inline bool is_id(std::string_view id) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !id.empty() && id.size() <= kIdMax && id.find_first_not_of(kAllowed) == std::string_view::npos;
}

template <class Session>
boost::json::value items_of(const Session& session) {
  const boost::json::value* items = session.get("items");
  return items != nullptr ? *items : boost::json::object();
}

/// One more of what the body names.
template <class Session>
wire::Response add_item(const wire::Request& request, Session& session) {
  boost::json::error_code wrong;
  const boost::json::value body = boost::json::parse(request.body, wrong);
  const boost::json::value* id = member(body, "id");
  const boost::json::value* name = member(body, "name");
  const bool good = id != nullptr && id->is_string() && is_id(id->get_string()) && name != nullptr &&
                    name->is_string() && !name->get_string().empty() && name->get_string().size() <= kNameMax;
  if (!good)
    return wire::problem_response(422, "bad-item", "",
                                  "send an id (1 to 64 letters, digits, _ or -) and a name");
  boost::json::value& items = session.edit()["items"];  // null in a new session
  boost::json::value& item =
      (items.is_object() ? items.get_object() : items.emplace_object())[id->get_string()];
  const boost::json::value* count = member(item, "n");
  const std::int64_t n = count != nullptr && count->is_int64() ? count->get_int64() + 1 : 1;
  item = {{"name", *name}, {"n", n}};
  return answer(201, item);
}

template <class Session>
wire::Response remove_item(std::string_view id, Session& session) {
  const boost::json::value* items = session.get("items");
  if (items == nullptr || member(*items, id) == nullptr)
    return wire::problem_response(404, "no-item", "", "the cart does not hold it");
  session.edit()["items"].as_object().erase(id);
  return answer(200, nullptr);
}

}  // namespace stateway::example
