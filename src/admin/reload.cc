#include "admin/resources.h"
#include "base/log.h"
#include "http/problem.h"

namespace stateway::admin {

Answer reload(const Call& call) {
  log::info("reloading at an operator's wish", {{"peer", call.request.peer}});
  const Result<ReloadOutcome> outcome = co_await call.sources.reload();
  if (!outcome) co_return problem_response(outcome.error());
  JsonWriter json;
  if (outcome->problems.empty()) {
    json.member("generation", call.sources.in_force.generation);
    json.texts("changes", outcome->changes);
    co_return json_response(200, std::move(json));
  }
  json.member("type", "urn:stateway:problem:bad-configuration");
  json.member("title", "The configuration has problems");
  json.member("status", 422);
  json.member("detail", "nothing has changed");
  json.texts("problems", outcome->problems);
  wire::Response response = json_response(422, std::move(json));
  response.fields.front().second = http::kProblemContentType;
  co_return response;
}

}  // namespace stateway::admin
