// A shopping cart. What a client has put into it is its session, a JSON document: the adapter (adapters/cpp)
// gives it to each request and sends back what changed. Where it lives between two requests is one line of
// the gateway's file, `placement`, and nothing here knows it: with "client", "store" and "hybrid" any
// instance can answer and killing one loses nothing; with "instance" the cart is in this process, and its
// clients come back to it.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "items.h"
#include "serve.h"
#include "wire_sessions.h"

namespace {

using namespace stateway;
using adapter::Session;
using example::answer;
using example::field;
using example::kItems;
namespace json = boost::json;

constexpr std::string_view kPage =
#include "page.inc"
    ;
constexpr std::string_view kCrash = "/api/crash";

wire::Response list(const Session& session) {
  return answer(
      200,
      {{"items", example::items_of(session)}, {"version", session.version()}, {"session", session.id()}});
}

class Cart final : public wire::Handler {
 public:
  Cart(io::Loop& loop, io::Network& network, int journal) : sessions_(loop, network), journal_(journal) {}

  io::Task<wire::Response> handle(const wire::Request& request) override;

  // Dies as servers die: at once, saving nothing. After the answer, so that the client learns who died.
  void answered() override {
    if (crash_) kill(getpid(), SIGKILL);
  }

 private:
  wire::Response answer_to(const wire::Request& request, Session& session);
  void note(const wire::Request& request) const;

  example::WireSessions sessions_;
  int journal_;  // descriptor of a file that gets a line for each change asked for; -1: none
  bool crash_ = false;
};

io::Task<wire::Response> Cart::handle(const wire::Request& request) {
  if (request.target.path() == "/healthz") co_return answer(200, "text/plain", "ok\n");
  Session session = co_await sessions_.open(request);
  if (session.refusal() != nullptr) co_return example::WireSessions::refusal(session);
  wire::Response response = answer_to(request, session);
  response = co_await sessions_.finish(session, std::move(response));
  // Now, and not before: answers of others must not bring its end.
  crash_ = crash_ || (request.target.path() == kCrash && response.status == 202);
  co_return response;
}

wire::Response Cart::answer_to(const wire::Request& request, Session& session) {
  const std::string_view path = request.target.path();
  const http::Method method = request.head.method;
  const bool reads = method == http::Method::get || method == http::Method::head;
  if (path == "/" && reads) return answer(200, "text/html; charset=utf-8", std::string(kPage));
  if (path == kCrash && method == http::Method::post)
    return answer(202, "text/plain", "this instance is about to die\n");
  if (path == "/api/cart" && reads) return list(session);
  if (path == kItems && method == http::Method::post) {
    note(request);
    return example::add_item(request, session);
  }
  const bool names_one =
      path.starts_with(kItems) && path.size() > kItems.size() && path[kItems.size()] == '/';
  if (names_one && method == http::Method::delete_) {
    note(request);
    return example::remove_item(path.substr(kItems.size() + 1), session);
  }
  return wire::problem_response(404, "not-found", "", "no such resource");
}

// One write of one line to a file opened for appending: lines of several instances never mix.
void Cart::note(const wire::Request& request) const {
  if (journal_ < 0) return;
  std::string line(field(request, "X-Request-Id"));
  line.append(" ").append(request.head.method_text).append(" ").append(request.target.path()).append(" ");
  line.append(request.body).append("\n");
  [[maybe_unused]] const ssize_t n = write(journal_, line.data(), line.size());
}

}  // namespace

int main() {
  const std::string journal = example::environment("CART_JOURNAL");
  const int journal_fd = open(journal.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return example::run_service("cart", [journal_fd](io::Loop& loop, io::Network& network) {
    return std::make_unique<Cart>(loop, network, journal_fd);
  });
}
