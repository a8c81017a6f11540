#include "admin/keys.h"

#include <fmt/format.h>

#include "admin/resources.h"
#include "base/log.h"

namespace stateway::admin {
namespace {

std::string id_text(session::KeyId id) { return fmt::format("{:08x}", id); }

std::chrono::milliseconds lifetime(const Sources& sources) {
  return session::longest_absolute(sources.in_force.snapshot->sessions);
}

wire::Response cannot_rotate(const Error& error) {
  if (error.code == Code::not_found)
    return wire::problem_response(409, "no-keys", "There are no keys",
                                  "no session of the configuration needs keys");
  log::error("the keys were not rotated", {{"reason", error.context}});
  wire::Response response =
      wire::problem_response(503, "key-file", "The key file cannot be changed", error.context);
  if (error.retry == Retry::always) response.fields.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

void add_keys(JsonWriter& json, const session::KeySet& keys, WallMillis now,
              std::chrono::milliseconds lifetime) {
  json.begin_array("keys");
  for (const session::SealKey& key : keys.keys()) {
    const session::KeyUse use = keys.use_of(key, now, lifetime);
    json.begin_object();
    json.member("id", id_text(key.id));
    json.member_time("created", key.created);
    json.member("does", session::key_use_name(use.what));
    json.member_time("since", use.since);
    json.member_time("until", use.until);
    json.end_object();
  }
  json.end_array();
}

void add_rotation(JsonWriter& json, const session::Rotation& rotation, WallMillis now,
                  std::chrono::milliseconds lifetime) {
  std::vector<std::string> dropped;
  for (const session::KeyId id : rotation.dropped) dropped.push_back(id_text(id));
  json.member("added", id_text(rotation.added));
  json.texts("dropped", dropped);
  add_keys(json, rotation.keys, now, lifetime);
}

Answer get_keys(const Call& call) {
  // As they are in the file, if that can be read; else those in use, and the log says why.
  if (call.sources.keys.in_use()) (void)co_await call.sources.keys.refresh(call.sources.loop);
  const std::shared_ptr<const session::KeySet> keys = call.sources.keys.keys();
  JsonWriter json;
  if (keys != nullptr)
    add_keys(json, *keys, call.sources.clock.now(), lifetime(call.sources));
  else
    json.texts("keys", {});
  co_return json_response(200, std::move(json));
}

Answer rotate_keys(const Call& call) {
  const auto rotation = co_await call.sources.keys.rotate(call.sources.loop, lifetime(call.sources));
  if (!rotation) co_return cannot_rotate(rotation.error());
  log::info("keys rotated at an operator's wish", {{"added", id_text(rotation->added)},
                                                   {"dropped", rotation->dropped.size()},
                                                   {"peer", call.request.peer}});
  JsonWriter json;
  add_rotation(json, *rotation, call.sources.clock.now(), lifetime(call.sources));
  co_return json_response(200, std::move(json));
}

}  // namespace stateway::admin
