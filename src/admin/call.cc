#include "admin/call.h"

#include "gateway/problem.h"

namespace stateway::admin {

wire::Response json_response(int status, JsonWriter json) {
  wire::Response response;
  response.status = status;
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = std::move(json).finish();
  return response;
}

wire::Response text_response(std::string_view line) {
  wire::Response response;
  response.fields.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.body.append(line).append("\n");
  return response;
}

wire::Response problem_response(const Error& error) {
  const gateway::ProblemRow& row = gateway::problem_row(error.code);
  const int status =
      row.status != 0 ? row.status : 503;  // a store's io: there is somebody to be answered here
  wire::Response response = wire::problem_response(status, code_name(error.code), row.title,
                                                   row.shows_context ? std::string_view(error.context) : "");
  if (row.retry_after) response.fields.emplace_back("Retry-After", "1");
  return response;
}

wire::Response not_found(std::string_view what) {
  return problem_response({Code::not_found, Side::client, Retry::never, "no such " + std::string(what)});
}

}  // namespace stateway::admin
