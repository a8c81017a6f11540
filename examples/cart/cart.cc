// A shopping cart whose instances remember nothing. Each request brings the session's document from the
// gateway, each change goes back to it as a patch: any instance can answer, and killing one loses nothing.
// With --memory it is the opposite: the instance keeps its carts itself, by session id, and never patches.
// That is for placement "instance", whose clients always come back to the instance that knows them.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <iostream>
#include <map>

#include "base/bytes.h"
#include "io/epoll.h"
#include "io/signals.h"
#include "io/sockets.h"
#include "wire/client.h"
#include "wire/server.h"

namespace {

using namespace stateway;
namespace json = boost::json;

constexpr std::string_view kPage =
#include "page.inc"
    ;
constexpr std::string_view kItems = "/api/cart/items";
constexpr std::size_t kIdMax = 64;     // octets
constexpr std::size_t kNameMax = 100;  // octets

std::string_view field(const wire::Request& request, std::string_view name) {
  const http::Field* found = request.head.fields.find(name);
  return found == nullptr ? std::string_view() : found->value;
}

wire::Response answer(int status, std::string_view type, std::string body) {
  wire::Response out;
  out.status = status;
  out.fields = {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}};
  out.body = std::move(body);
  return out;
}

// Header values are ASCII: everything else is written as the \u escapes of its UTF-16 code units.
std::string ascii(const json::value& value) {
  const std::string utf8 = json::serialize(value);
  std::string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const unsigned lead = static_cast<unsigned char>(utf8[i++]);
    unsigned point = lead < 0x80 ? lead : lead < 0xe0 ? lead & 0x1f : lead & 0x0f;
    for (; i < utf8.size() && (utf8[i] & 0xc0) == 0x80; ++i)
      point = point << 6 | static_cast<unsigned>(utf8[i] & 0x3f);
    char text[16] = {static_cast<char>(point), '\0'};
    if (point > 0xffff)
      std::snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    else if (point >= 0x7f)
      std::snprintf(text, sizeof text, "\\u%04x", point);
    out.append(text);
  }
  return out;
}

// A change as a merge patch (RFC 7396) for the gateway, which commits it before the client sees the answer.
// It names one item only, so changes of different items never meet.
std::string patch_of(const std::string& id, const json::value& item) {
  return ascii({{"items", json::object{{id, item}}}});
}

const json::value* member(const json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

bool is_id(std::string_view id) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !id.empty() && id.size() <= kIdMax && id.find_first_not_of(kAllowed) == std::string_view::npos;
}

wire::Response list(const wire::Request& request, const json::object& items) {
  const json::value body = {
      {"items", items},
      {"version", parse_decimal(field(request, "Stateway-Session-Version")).value_or(0)},
      {"session", field(request, "Stateway-Session-Id")}};
  return answer(200, "application/json", json::serialize(body) + "\n");
}

// What a client asks for: an item to put under an id, or null to take it out. Otherwise the answer that says
// why not.
struct Change {
  std::string id;
  json::value item;
  wire::Response answer;  // to send when it is done, or at once when `id` is empty
};

Change refuse(wire::Response why) { return {.id = {}, .item = nullptr, .answer = std::move(why)}; }

Change add(const wire::Request& request, const json::object& items) {
  json::error_code wrong;
  const json::value body = json::parse(request.body, wrong);
  const json::value* id = member(body, "id");
  const json::value* name = member(body, "name");
  const bool good = id != nullptr && id->is_string() && is_id(id->get_string()) && name != nullptr &&
                    name->is_string() && !name->get_string().empty() && name->get_string().size() <= kNameMax;
  if (!good)
    return refuse(wire::problem_response(422, "bad-item", "",
                                         "send an id (1 to 64 letters, digits, _ or -) and a name"));
  const json::value* held = items.if_contains(id->get_string());
  const json::value* count = held == nullptr ? nullptr : member(*held, "n");
  const std::int64_t n = count != nullptr && count->is_int64() ? count->get_int64() + 1 : 1;
  json::value item = {{"name", *name}, {"n", n}};
  wire::Response done = answer(201, "application/json", json::serialize(item) + "\n");
  return {.id = std::string(id->get_string()), .item = std::move(item), .answer = std::move(done)};
}

Change remove(std::string_view id, const json::object& items) {
  if (!items.contains(id))
    return refuse(wire::problem_response(404, "no-item", "", "the cart does not hold it"));
  return {.id = std::string(id), .item = nullptr, .answer = answer(200, "application/json", "null\n")};
}

// The items of the document; none in a new session, whose document is {}.
json::object items_of(std::string_view document) {
  json::error_code wrong;
  const json::value parsed = json::parse(document, wrong);
  const json::value* items = member(parsed, "items");
  return items != nullptr && items->is_object() ? items->get_object() : json::object();
}

class Cart final : public wire::Handler {
 public:
  Cart(io::Loop& loop, io::Network& network, std::string token, int journal, bool remembers)
      : loop_(loop), network_(network), token_(std::move(token)), journal_(journal), remembers_(remembers) {}

  io::Task<wire::Response> handle(const wire::Request& request) override;

  // Dies as servers die: at once, saving nothing. After the answer, so that the client learns who died.
  void answered() override {
    if (crash_) kill(getpid(), SIGKILL);
  }

 private:
  io::Task<Result<std::string>> read_document(const wire::Request& request);
  io::Task<Result<std::string>> fetch(std::string_view url);
  wire::Response keep(const wire::Request& request, Change change);
  void note(const wire::Request& request) const;

  io::Loop& loop_;
  io::Network& network_;
  std::string token_;  // what the gateway must send as Stateway-Token; empty: nothing is asked for
  int journal_;        // descriptor of a file that gets a line for each change asked for; -1: none
  bool remembers_;     // --memory
  std::map<std::string, json::object, std::less<>> carts_;  // then: items by session id
  bool crash_ = false;
};

io::Task<wire::Response> Cart::handle(const wire::Request& request) {
  const std::string_view path = request.target.path();
  const http::Method method = request.head.method;
  const bool reads = method == http::Method::get || method == http::Method::head;
  if (path == "/healthz") co_return answer(200, "text/plain", "ok\n");
  if (!token_.empty() && !equal_constant_time(field(request, "Stateway-Token"), token_))
    co_return wire::problem_response(403, "forbidden", "", "only the gateway may ask");
  if (path == "/" && reads) co_return answer(200, "text/html; charset=utf-8", std::string(kPage));
  if (path == "/api/crash" && method == http::Method::post) {
    crash_ = true;
    co_return answer(202, "text/plain", "this instance is about to die\n");
  }

  const bool item = path.starts_with(kItems) && path.size() > kItems.size() && path[kItems.size()] == '/';
  const bool adds = path == kItems && method == http::Method::post;
  const bool removes = item && method == http::Method::delete_;
  const bool lists = path == "/api/cart" && reads;
  if (!adds && !removes && !lists) co_return wire::problem_response(404, "not-found", "", "no such resource");
  if (!lists) note(request);
  json::object items;
  if (remembers_) {
    if (const auto known = carts_.find(field(request, "Stateway-Session-Id")); known != carts_.end())
      items = known->second;
  } else {
    const auto document = co_await read_document(request);
    if (!document) co_return wire::problem_response(503, "no-session", "", document.error().context);
    items = items_of(*document);
  }
  if (lists) co_return list(request, items);
  co_return keep(request, adds ? add(request, items) : remove(path.substr(kItems.size() + 1), items));
}

// In our memory, or by the patch in the answer.
wire::Response Cart::keep(const wire::Request& request, Change change) {
  if (change.id.empty()) return std::move(change.answer);
  if (!remembers_) {
    change.answer.fields.emplace_back("Stateway-Session-Patch", patch_of(change.id, change.item));
    return std::move(change.answer);
  }
  json::object& cart = carts_[std::string(field(request, "Stateway-Session-Id"))];
  if (change.item.is_null())
    cart.erase(change.id);
  else
    cart[change.id] = std::move(change.item);
  return std::move(change.answer);
}

io::Task<Result<std::string>> Cart::read_document(const wire::Request& request) {
  if (const http::Field* inlined = request.head.fields.find("Stateway-Session"))
    co_return std::string(inlined->value);
  if (const http::Field* url = request.head.fields.find("Stateway-Session-Url"))
    co_return co_await fetch(url->value);
  co_return std::string("{}");  // no gateway in front: an empty cart that forgets every change
}

io::Task<Result<std::string>> Cart::fetch(std::string_view url) {
  url.remove_prefix(std::min(url.size(), std::string_view("http://").size()));
  const std::size_t slash = std::min(url.find('/'), url.size());
  const auto address = parse_address(url.substr(0, slash));
  if (!address) co_return fail(Code::bad_target, Side::self, "the session URL is malformed");
  const TimePoint deadline = loop_.now() + 5s;
  auto stream = co_await network_.connect(*address, deadline);
  if (!stream) co_return fail(stream.error().code, Side::self, "the session URL cannot be reached");
  wire::Client client(std::move(*stream), {});
  wire::ClientRequest get;
  get.target = url.substr(slash);
  get.host = url.substr(0, slash);
  auto response = co_await client.exchange(get, deadline);
  if (!response || response->status != 200)
    co_return fail(Code::closed, Side::self, "the session URL did not answer with the document");
  co_return std::move(response->body);
}

// One write of one line to a file opened for appending: lines of several instances never mix.
void Cart::note(const wire::Request& request) const {
  if (journal_ < 0) return;
  std::string line(field(request, "X-Request-Id"));
  line.append(" ").append(request.head.method_text).append(" ").append(request.target.path()).append(" ");
  line.append(request.body).append("\n");
  [[maybe_unused]] const ssize_t n = write(journal_, line.data(), line.size());
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The gateway gives each instance it starts SOCKET or PORT.
Result<Address> listen_address() {
  const std::string socket = environment("SOCKET");
  return parse_address(socket.empty() ? "127.0.0.1:" + environment("PORT") : "unix:" + socket);
}

// Serves until SIGTERM or SIGINT, then answers what has arrived and ends.
io::Task<void> serve(io::EpollLoop& loop, Cart& cart, const io::ListenSocket& socket) {
  io::SignalSource signals(loop, {SIGTERM, SIGINT});
  io::SocketAcceptor acceptor(loop, socket);
  wire::Server server(loop, cart, {});
  io::TaskGroup accepting;
  accepting.spawn(server.accept_from(acceptor));
  co_await signals.next();
  accepting.cancel_all();
  server.drain();
  co_await server.drained();
  loop.stop();
}

}  // namespace

int main(int argc, char** argv) {
  const bool remembers = argc == 2 && std::string_view(argv[1]) == "--memory";
  if (argc > 1 && !remembers) {
    std::cerr << "usage: cart [--memory]\n";
    return 2;
  }
  io::block_signals({SIGTERM, SIGINT});
  const auto address = listen_address();
  const auto socket = address ? io::ListenSocket::open(*address)
                              : fail(Code::invalid_argument, Side::self, "set PORT or SOCKET");
  if (!socket) {
    std::cerr << "cart: " << socket.error().context << '\n';
    return 1;
  }
  const std::string journal = environment("CART_JOURNAL");
  const int journal_fd = open(journal.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  io::EpollLoop loop;
  io::Worker resolver("resolver");
  io::SocketNetwork network(loop, resolver);
  Cart cart(loop, network, environment("STATEWAY_TOKEN"), journal_fd, remembers);
  io::TaskGroup tasks;
  tasks.spawn(serve(loop, cart, *socket));
  std::cerr << "cart: listening on " << to_string(socket->address()) << '\n';
  loop.run();
}
