// The service of bench/hybrid: sessions by the C++ adapter, which fetches a document that is not sent along,
// and holds it where the placement is hybrid.
//
//   GET …/fill/N   makes the document N octets long
//   GET …/read     looks into it
//   POST …/write   changes one number in it
#include "examples/cart/serve.h"
#include "examples/cart/wire_sessions.h"

namespace {

using namespace stateway;

class Bench final : public wire::Handler {
 public:
  Bench(io::Loop& loop, io::Network& network) : sessions_(loop, network) {}

  io::Task<wire::Response> handle(const wire::Request& request) override {
    wire::Response response;
    response.body = "ok";
    const std::string path(request.target.path());
    if (path == "/ready") co_return response;
    adapter::Session session = co_await sessions_.open(request);
    if (session.refusal() != nullptr) co_return example::WireSessions::refusal(session);
    const std::string_view what = std::string_view(path).substr(path.find('/', 1) + 1);
    if (what.starts_with("fill/"))
      fill(session, parse_decimal(what.substr(5)).value_or(0));
    else if (session.get("items") == nullptr)
      response.status = 404;
    else if (what == "write")
      session.set("n", session.get("n")->to_number<std::int64_t>() + 1);
    co_return co_await sessions_.finish(session, std::move(response));
  }

 private:
  // Items of a shop: most of a document is not one long string.
  static void fill(adapter::Session& session, std::size_t octets) {
    session.set("n", 0);
    boost::json::object& items = session.edit()["items"].emplace_object();
    for (std::size_t i = 0, used = 20; used + 60 < octets; ++i) {
      const std::string id = "item-" + std::to_string(1000 + i);
      items[id] = {{"name", "Something to be bought"}, {"n", 1 + i % 9}};
      used += 52;
    }
  }

  example::WireSessions sessions_;
};

}  // namespace

int main() {
  return example::run_service("bench_session_service", [](io::Loop& loop, io::Network& network) {
    return std::make_unique<Bench>(loop, network);
  });
}
