// The adapter (adapters/cpp) on the HTTP server and client of src/wire. What a service with another server
// writes instead is as short: see the example in adapters/cpp/README.md.
#pragma once

#include "base/bytes.h"
#include "io/network.h"
#include "stateway/session.h"
#include "wire/client.h"
#include "wire/server.h"

namespace stateway::example {

inline std::string_view field(const wire::Request& request, std::string_view name) {
  const http::Field* found = request.head.fields.find(name);
  return found == nullptr ? std::string_view() : found->value;
}

/// Belongs to one loop. Must outlive its tasks.
class WireSessions {
 public:
  WireSessions(io::Loop& loop, io::Network& network)
      : loop_(loop), network_(network), sessions_(adapter::Options::from_environment()) {}

  /// The session of a request. If it has a refusal, that is the answer.
  io::Task<adapter::Session> open(const wire::Request& request) {
    adapter::Session session =
        sessions_.open([&request](std::string_view name) { return field(request, name); });
    co_await make_calls(session);
    co_return session;
  }

  /// `response`, and with it what is to become of the session; or what must be answered in its place.
  io::Task<wire::Response> finish(adapter::Session& session, wire::Response response) {
    session.finish(response.status);
    co_await make_calls(session);
    if (session.refusal() != nullptr) co_return refusal(session);
    for (const adapter::Field& added : session.fields()) response.fields.push_back(added);
    co_return response;
  }

  static wire::Response refusal(const adapter::Session& session) {
    const adapter::Refusal& why = *session.refusal();
    const std::string_view code = why.status == 403   ? "forbidden"
                                  : why.status == 500 ? "session-not-saved"
                                                      : "no-session";
    wire::Response out = wire::problem_response(why.status, code, why.reason, "");
    for (const adapter::Field& added : session.fields()) out.fields.push_back(added);
    return out;
  }

 private:
  io::Task<void> make_calls(adapter::Session& session) {
    while (const adapter::Call* call = session.due()) {
      auto response = co_await fetch(*call);
      if (response)
        session.answered(response->status, std::move(response->body));
      else
        session.answered(0, "");
    }
  }

  io::Task<Result<wire::ClientResponse>> fetch(const adapter::Call& call) {
    std::string_view url = call.url;
    url.remove_prefix(std::min(url.size(), std::string_view("http://").size()));
    const std::size_t slash = std::min(url.find('/'), url.size());
    const auto address = parse_address(url.substr(0, slash));
    if (!address) co_return std::unexpected(address.error());
    const TimePoint deadline = loop_.now() + 5s;
    auto stream = co_await network_.connect(*address, deadline);
    if (!stream) co_return pass_on(std::move(stream));
    wire::Client client(std::move(*stream), {});
    wire::ClientRequest request;
    request.method = call.method;
    request.target = url.substr(slash);
    request.host = url.substr(0, slash);
    if (!call.content_type.empty()) request.fields.emplace_back("Content-Type", call.content_type);
    request.body = call.body;
    co_return co_await client.exchange(request, deadline);
  }

  io::Loop& loop_;
  io::Network& network_;
  adapter::Sessions sessions_;
};

}  // namespace stateway::example
