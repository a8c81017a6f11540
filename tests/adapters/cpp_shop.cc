// The shop of scenarios.py in C++, without its forms: what examples/express-cart does, on adapters/cpp.
#include "serve.h"
#include "wire_sessions.h"

namespace {

using namespace stateway;
using adapter::Session;
namespace json = boost::json;

wire::Response answer(int status, const json::value& body) {
  wire::Response out;
  out.status = status;
  out.fields = {{"Content-Type", "application/json"}};
  out.body = json::serialize(body);
  return out;
}

wire::Response show(const Session& session) {
  const auto member = [&session](std::string_view name, json::value otherwise) {
    const json::value* found = session.get(name);
    return found != nullptr ? *found : std::move(otherwise);
  };
  json::object out = {{"user", member("user", nullptr)}, {"cart", member("cart", json::object())}};
  if (const json::value* note = session.get("note")) out["note"] = *note;
  return answer(200, out);
}

wire::Response add(Session& session, const json::value& body) {
  const json::string& product = body.at("product").as_string();
  json::value& cart = session.edit()["cart"];
  json::value& count = (cart.is_object() ? cart.get_object() : cart.emplace_object())[product];
  count = count.is_int64() ? count.get_int64() + 1 : 1;
  return answer(201, {{"product", product}, {"count", count}});
}

wire::Response remove(Session& session, std::string_view product) {
  if (session.get("cart") != nullptr) session.edit()["cart"].as_object().erase(product);
  return show(session);
}

wire::Response log_in(Session& session, const json::value& body) {
  if (body.at("name") != "ann" || body.at("password") != "tea") return answer(401, {{"error", "no"}});
  session.set("user", "ann");
  session.renew("ann");
  return show(session);
}

wire::Response log_out(Session& session) {
  session.end();
  return answer(200, {{"user", nullptr}});
}

wire::Response answer_to(const wire::Request& request, Session& session) {
  constexpr std::string_view kProduct = "/api/cart/";
  const std::string_view path = request.target.path();
  if (path == "/api/session") return show(session);
  if (path.starts_with(kProduct)) return remove(session, path.substr(kProduct.size()));
  if (path == "/api/logout") return log_out(session);
  const auto body = adapter::parse(request.body);
  if (!body) return answer(400, {{"error", "no JSON"}});
  if (path == "/api/cart") return add(session, *body);
  if (path == "/api/login") return log_in(session, *body);
  if (path != "/api/note") return answer(404, {{"error", "nothing here"}});
  session.set("note", *body);
  return answer(200, {{"octets", request.body.size()}});
}

class Shop final : public wire::Handler {
 public:
  Shop(io::Loop& loop, io::Network& network) : sessions_(loop, network) {}
  io::Task<wire::Response> handle(const wire::Request& request) override {
    if (request.target.path() == "/healthz") co_return answer(200, "ok");
    Session session = co_await sessions_.open(request);
    if (session.refusal() != nullptr) co_return example::WireSessions::refusal(session);
    wire::Response response = answer_to(request, session);
    co_return co_await sessions_.finish(session, std::move(response));
  }

 private:
  example::WireSessions sessions_;
};

}  // namespace

int main() {
  return example::run_service(
      "shop", [](io::Loop& loop, io::Network& network) { return std::make_unique<Shop>(loop, network); });
}
