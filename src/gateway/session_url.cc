#include "gateway/session_url.h"

#include <array>

#include "base/bytes.h"
#include "gateway/problem.h"
#include "io/call.h"

namespace stateway::gateway {
namespace {

wire::Response problem(Code code, std::string_view detail) {
  const ProblemRow& row = problem_row(code);
  return wire::problem_response(row.status, code_name(code), row.title, detail);
}

}  // namespace

SessionUrls::Grant SessionUrls::open(session::Slot& slot) {
  std::array<std::byte, 16> bits;
  random_.fill(bits);
  std::string token = base64url_encode(bits);
  open_.emplace(token, &slot);
  return Grant(*this, std::move(token));
}

wire::Response SessionUrls::answer(std::string_view token, std::string_view method, std::string_view body) {
  const auto found = open_.find(std::string(token));
  if (found == open_.end()) return problem(Code::not_found, "this session URL is not valid, or no longer");
  session::Slot& slot = *found->second;
  wire::Response out;
  if (method == "GET" || method == "HEAD") {
    out.fields.emplace_back("Content-Type", "application/json");
    out.fields.emplace_back("Stateway-Session-Version", std::to_string(slot.version));
    out.body = slot.record.document;
    return out;
  }
  if (method == "PATCH") {
    // One exchange cannot make more of its session than a document may hold, however often it patches.
    if (slot.patch_octets + body.size() > slot.kind->document_bytes_max)
      return wire::problem_response(413, code_name(Code::body_too_large), "The patches are too large",
                                    "all patches of one exchange together take at most document_max");
    slot.patch_octets += body.size();
    if (auto added = slot.patches.add_body(body); !added) {
      out = wire::problem_response(400, code_name(added.error().code), "The patch is malformed",
                                   added.error().context);
      return out;
    }
    out.status = 204;
    return out;
  }
  out = problem(Code::method_not_allowed, "a session URL takes GET and PATCH");
  out.fields.emplace_back("Allow", "GET, HEAD, PATCH");
  return out;
}

io::Task<wire::Response> SessionUrlHandler::handle(const wire::Request& request) {
  std::string_view path = request.target.path();
  if (!path.starts_with('/')) co_return problem(Code::not_found, "this is not a session URL");
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  const auto number = parse_decimal(path.substr(0, slash));
  if (slash == std::string_view::npos || !number || *number >= targets_.size())
    co_return problem(Code::not_found, "this is not a session URL");
  const Target target = targets_[*number];
  auto answer = [urls = target.urls, token = std::string(path.substr(slash + 1)),
                 method = std::string(request.head.method_text),
                 body = request.body] { return urls->answer(token, method, body); };
  if (target.loop == &home_) co_return answer();
  auto call = io::call_on(home_, *target.loop, std::move(answer));
  co_return co_await call;
}

}  // namespace stateway::gateway
