// One call of the admin API, and how it is answered.
#pragma once

#include <array>
#include <string_view>

#include "admin/json_writer.h"
#include "admin/sources.h"
#include "io/task.h"
#include "wire/server.h"

namespace stateway::admin {

/// Lives until the call is answered.
struct Call {
  const Sources& sources;
  const wire::Request& request;
  std::array<std::string_view, 2> names{};  // what stands for the {} of the path, in order
};

using Answer = io::Task<wire::Response>;

wire::Response json_response(int status, JsonWriter json);
/// text/plain, with an end of line.
wire::Response text_response(std::string_view line);
/// As gateway/problem.h says, for errors of the store and of calls.
wire::Response problem_response(const Error& error);
/// 404: `what` names the kind of thing.
wire::Response not_found(std::string_view what);

}  // namespace stateway::admin
