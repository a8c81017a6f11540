#include "shop.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "http/framing.h"
#include "wire/client.h"

namespace stateway::sim {
namespace {

namespace json = boost::json;

constexpr Duration kPatience = 60s;  // longer than anything the gateway waits for
constexpr Duration kStall = 30s;
constexpr Duration kRestart = 300ms;

std::string_view field(const http::RequestHead& head, std::string_view name) {
  const http::Field* found = head.fields.find(name);
  return found == nullptr ? std::string_view() : found->value;
}

std::string_view last_segment(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

struct Shop::Order {
  std::string path;
  std::string id;
  bool has_document = false;  // it came along; otherwise it is to be fetched
  std::string document;
  std::string session_url;
  std::string session;
  std::uint64_t version = 0;
  bool needs = false;  // it was not sent what this process does not hold
  bool keep_alive = true;
};

struct Shop::Answer {
  int status = 200;
  std::string fields;  // whole lines
  std::string hold;    // the token of what this process keeps
  std::string body;
};

Shop::Shop(io::SimLoop& loop, io::SimHost& host, Address at, std::string name, Random& random,
           const ShopFaults& faults, Holding holding, Oracle& oracle)
    : loop_(loop),
      host_(host),
      at_(std::move(at)),
      name_(std::move(name)),
      random_(random),
      faults_(faults),
      oracle_(oracle),
      holding_(holding) {
  start();
}

void Shop::start() {
  if (running()) return;
  ++life_;
  memory_.emplace(fmt::format("{}-{}", name_, life_), holding_);
  acceptor_ = host_.listen(at_);
  tasks_ = std::make_unique<io::TaskGroup>();
  tasks_->spawn(accept());
}

void Shop::kill() {
  tasks_.reset();
  acceptor_.reset();
  memory_.reset();
}

io::Task<void> Shop::accept() {
  for (;;) {
    auto accepted = co_await acceptor_->accept();
    if (accepted)
      tasks_->spawn(serve(std::move(accepted->stream)));
    else
      co_await io::sleep_for(loop_, 20ms);
  }
}

io::Task<void> Shop::serve(std::unique_ptr<io::Stream> stream) {
  wire::Reader reader(*stream, Side::client, {.head_bytes_max = 64 * 1024});
  for (;;) {
    const auto alive = co_await reader.wait_for_octets(loop_.now() + kPatience);
    if (!alive || !*alive) co_return;
    if (!co_await serve_one(*stream, reader)) co_return;
  }
}

io::Task<bool> Shop::read_body(wire::Reader& reader) {
  for (;;) {
    const auto piece = co_await reader.next(loop_.now() + kPatience);
    if (!piece) co_return false;
    if (piece->done) co_return true;
  }
}

io::Task<bool> Shop::serve_one(io::Stream& stream, wire::Reader& reader) {
  http::RequestHead head;
  if (!co_await reader.read_head(head, loop_.now() + kPatience)) co_return false;
  const auto framing = http::request_framing(head);
  if (!framing) {
    oracle_.violation(name_ + " was sent a request of no clear length");
    co_return false;
  }
  reader.begin_body(*framing);
  Order order{.path = std::string(head.target),
              .id = std::string(last_segment(head.target)),
              .has_document = head.fields.find("Stateway-Session") != nullptr,
              .document = std::string(field(head, "Stateway-Session")),
              .session_url = std::string(field(head, "Stateway-Session-Url")),
              .session = std::string(field(head, "Stateway-Session-Id")),
              .version = parse_decimal(field(head, "Stateway-Session-Version")).value_or(0),
              .keep_alive = http::keep_alive(head)};
  if (const std::string_view held = field(head, "Stateway-Session-Held"); !held.empty()) {
    auto document = memory_->find(order.session, order.version, held);
    oracle_.tally(document ? "hybrid: held" : "hybrid: needed");
    order.needs = !document;
    order.has_document = true;
    order.document = document.value_or("");
  }
  const bool checked = head.target == "/healthz" || order.needs;  // then it is as if it had not been here
  if (!checked)
    oracle_.arrived(order.id, name_, head.method == http::Method::post && !order.path.starts_with("/again/"));
  if (field(head, "Expect") == "100-continue") {
    const bool said =
        (co_await stream.write_all("HTTP/1.1 100 Continue\r\n\r\n", loop_.now() + kPatience)).has_value();
    if (!said) co_return false;
  }
  if (!checked && luck(faults_.crash)) {
    loop_.at(loop_.now(), [this, life = life_] {
      if (life != life_ || !running()) return;
      kill();
      loop_.at(loop_.now() + kRestart, [this] { start(); });
    });
    co_await io::sleep_for(loop_, kPatience);
  }
  const bool early = !checked && luck(faults_.early);
  if (!early && !co_await read_body(reader)) co_return false;
  if (!checked && luck(faults_.drop)) co_return false;
  if (!checked && luck(faults_.stall)) co_await io::sleep_for(loop_, kStall);
  Answer answer{.status = 204};
  if (order.needs) answer.fields = "Stateway-Session-Op: need\r\n";
  if (!checked) answer = co_await decide(order);
  if (!co_await send(stream, answer)) co_return false;
  if (early && !co_await read_body(reader)) co_return false;
  reader.finish_message();
  co_return order.keep_alive && !luck(faults_.hang_up);
}

io::Task<Shop::Answer> Shop::decide(Order& order) {
  Answer out;
  if (luck(faults_.refuse)) {
    constexpr int kStatuses[] = {500, 502, 503};
    out.status = kStatuses[random_.below(3)];
    co_return out;
  }
  std::string& text = order.document;
  if (!order.has_document && !order.session_url.empty() && !co_await by_url(order, "GET", {}, text)) {
    out.status = 500;
    co_return out;
  }
  if (text.empty()) text = "{}";
  if (order.path.starts_with("/plain/")) co_return out;
  hold(order, out, order.version, text);
  const json::object document = json::parse(text).as_object();
  const json::value* owner = document.if_contains("owner");
  out.fields = fmt::format("X-Owner: {}\r\n", owner == nullptr ? "-" : owner->as_string().c_str());
  if (order.path.starts_with("/cart/begin/")) {
    if (owner == nullptr)
      co_await patch(order, out, fmt::format(R"({{"owner":"{}","list":[],"m":{{}},"n":0}})", order.id));
  } else if (owner == nullptr) {
    out.status = 404;
  } else if (order.path.starts_with("/cart/add/")) {
    co_await patch(order, out, addition(order));
  } else if (order.path.starts_with("/again/count/")) {
    const std::int64_t next = document.at("n").as_int64() + 1;
    out.fields += fmt::format("X-N: {}\r\n", next);
    co_await patch(order, out, fmt::format(R"({{"n":{}}})", next));
  } else if (order.path.starts_with("/cart/renew/")) {
    out.fields += "Stateway-Session-Op: renew\r\n";
    hold(order, out, order.version + 1, text);
  } else if (order.path.starts_with("/cart/end/")) {
    out.fields += "Stateway-Session-Op: end\r\n";
    memory_->forget(order.session);
  } else {
    out.body = text;
    if (luck(0.05)) out.body.append(40'000, ' ');
  }
  co_return out;
}

// It says so only where that is the last word: of two claims the gateway takes the later one.
void Shop::hold(const Order& order, Answer& answer, std::uint64_t version, std::string document) {
  if (version > 0) answer.hold = memory_->keep(order.session, version, std::move(document));
}

// Into the list, or among the members; then the document may also outgrow its cookie, or be small again.
std::string Shop::addition(const Order& order) {
  if (luck(0.5)) return fmt::format(R"([{{"op":"add","path":"/list/-","value":"{}"}}])", order.id);
  if (luck(0.8)) return fmt::format(R"({{"m":{{"{}":1}}}})", order.id);
  if (luck(0.5)) return fmt::format(R"({{"m":{{"{}":1}},"pad":null}})", order.id);
  return fmt::format(R"({{"m":{{"{}":1}},"pad":"{}"}})", order.id, std::string(3000, 'x'));
}

// A patch goes with the answer, or ahead of it to the session URL.
io::Task<void> Shop::patch(const Order& order, Answer& answer, std::string patch) {
  std::string none;
  if (luck(faults_.bad_patch)) patch.pop_back();
  if (auto made = patched(order.document, patch)) hold(order, answer, order.version + 1, std::move(*made));
  if (!luck(0.1)) {
    answer.fields += fmt::format("Stateway-Session-Patch: {}\r\n", patch);
  } else if (!co_await by_url(order, "PATCH", patch, none)) {
    answer.status = 500;  // the patch may have been taken all the same: it counts whatever the status
    answer.fields += "X-Patched: perhaps\r\n";
  }
}

io::Task<bool> Shop::by_url(const Order& order, std::string_view method, std::string body, std::string& out) {
  std::string_view rest = order.session_url;
  rest.remove_prefix(std::min(rest.size(), std::string_view("http://").size()));
  const std::size_t slash = rest.find('/');
  const auto address = parse_address(rest.substr(0, slash));
  if (!address || slash == std::string_view::npos) {
    oracle_.violation("a session URL that is none: " + order.session_url);
    co_return false;
  }
  const TimePoint deadline = loop_.now() + 5s;
  auto stream = co_await host_.connect(*address, deadline);
  if (!stream) co_return false;
  wire::Client client(std::move(*stream), {});
  const wire::ClientRequest request{
      .method = method, .target = rest.substr(slash), .host = rest.substr(0, slash), .body = std::move(body)};
  const auto response = co_await client.exchange(request, deadline);
  if (!response || response->status >= 300) co_return false;
  out = response->body;
  co_return true;
}

io::Task<bool> Shop::send(io::Stream& stream, const Answer& answer) {
  const TimePoint deadline = loop_.now() + kPatience;
  if (luck(faults_.garbage)) {
    (void)co_await stream.write_all("HELLO?\r\n\r\n", deadline);
    co_return false;
  }
  std::string out;
  if (luck(0.05)) out += "HTTP/1.1 103 Early Hints\r\nStateway-Session-Patch: {\"owner\":\"nobody\"}\r\n\r\n";
  out += fmt::format("HTTP/1.1 {} Answer\r\n{}", answer.status, answer.fields);
  if (!answer.hold.empty()) out += fmt::format("Stateway-Session-Hold: {}\r\n", answer.hold);
  const bool chunked = luck(0.2) && answer.status != 204;
  if (chunked)
    out += fmt::format(
        "Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        answer.body.empty() ? "" : fmt::format("{:x}\r\n{}\r\n", answer.body.size(), answer.body));
  else if (answer.status == 204)
    out += "\r\n";
  else
    out += fmt::format("Content-Length: {}\r\n\r\n{}", answer.body.size(), answer.body);
  const std::size_t head_octets = out.find("\r\n\r\n", out.find("Answer")) + 4;
  const bool half_head = luck(faults_.half_head);
  const bool half_body = !half_head && luck(faults_.half_body) && head_octets < out.size();
  if (half_head) out.resize(random_.below(head_octets));
  if (half_body) out.resize(head_octets + random_.below(out.size() - head_octets));
  const auto written = co_await stream.write_all(out, deadline);
  co_return written && !half_head && !half_body;
}

}  // namespace stateway::sim
