#include "shopper.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>

#include "base/bytes.h"
#include "http/framing.h"
#include "io/sim/link.h"
#include "shopper_order.h"

namespace stateway::sim {
namespace {

constexpr std::array<std::string_view, 7> kKinds = {"begin", "add", "count", "read", "renew", "end", "plain"};

std::string field(const http::ResponseHead& head, std::string_view name) {
  const http::Field* found = head.fields.find(name);
  return found == nullptr ? std::string() : std::string(found->value);
}

}  // namespace

struct Shopper::Wire {
  explicit Wire(std::unique_ptr<io::Stream> s)
      : stream(std::move(s)), reader(*stream, Side::upstream, {.head_bytes_max = 64 * 1024}) {}
  bool silent() { return static_cast<io::SimStream&>(*stream).link().silent(); }
  std::unique_ptr<io::Stream> stream;
  wire::Reader reader;
};

Shopper::Shopper(io::SimLoop& loop, io::SimHost& host, std::vector<Address> doors, std::string name,
                 Random& random, Oracle& oracle, bool alone)
    : loop_(loop),
      host_(host),
      doors_(std::move(doors)),
      name_(std::move(name)),
      random_(random),
      oracle_(oracle),
      alone_(alone) {}

Shopper::~Shopper() = default;

io::Task<void> Shopper::run(unsigned exchanges) {
  while (sent_ < exchanges) {
    if (owner_.empty() || lost_) co_await begin();
    if (owner_.empty()) {
      co_await io::sleep_for(loop_, io::draw(random_, 1ms, 200ms));
      continue;
    }
    co_await side_by_side(alone_ ? 1 : 1 + static_cast<unsigned>(random_.below(4)));
    if (random_.below(4) == 0) co_await io::sleep_for(loop_, io::draw(random_, Duration(0), 300ms));
    if (oracle_.known(owner_).may_have_ended()) owner_.clear();
  }
  idle_.clear();
}

// Alone: a session has a cookie only when its first patch was acknowledged.
io::Task<void> Shopper::begin() {
  owner_ = fmt::format("{}k{}", name_, numbers_++);
  cookie_.clear();
  lost_ = false;
  logins_ = 0;
  co_await send_some(0);
  if (!oracle_.known(owner_).begun) owner_.clear();
}

io::Task<void> Shopper::side_by_side(unsigned count) {
  io::TaskGroup group;
  for (unsigned i = 0; i < count; ++i) group.spawn(send_some(!alone_ && random_.below(8) == 0 ? 3 : 1));
  co_await group.drained();
}

io::Task<void> Shopper::look_again() {
  if (owner_.empty() || lost_ || oracle_.known(owner_).renewing > 0 || oracle_.known(owner_).may_have_ended())
    co_return;
  const std::uint64_t before = acknowledged_;
  auto connection = co_await wire();
  if (connection) {
    Order last = order(Kind::read);
    Answer answer;
    (void)co_await write(*connection->stream, text_of(last, true));
    (void)co_await read(*connection, last, answer);
  }
  idle_.clear();
  calm_ = acknowledged_ != before;
  if (!calm_) oracle_.violation(name_ + " cannot read its session when all is calm");
}

void Shopper::show_cookie() {
  if (calm_) oracle_.keep(owner_, cookie_);
}

Shopper::Kind Shopper::draw_kind() {
  const std::uint64_t n = random_.below(100);
  if (n < 50) return Kind::add;
  if (n < 70) return Kind::count;
  if (n < 85) return Kind::read;
  if (n < 93) return Kind::plain;
  return n < 98 ? Kind::renew : Kind::end;
}

Shopper::Order Shopper::order(Kind kind) {
  Known& known = oracle_.known(owner_);
  Order out{.kind = kind,
            .id = kind == Kind::begin ? owner_ : fmt::format("{}-{}", owner_, numbers_++),
            .owner = owner_,
            .cookie = cookie_,
            .renewals = known.renewals,
            .logins = logins_,
            .written = known.written.size(),
            .ended = known.ended};
  ++sent_;
  if (kind == Kind::end) ++known.ending;
  if (kind == Kind::renew) ++known.renewing;
  if (kind == Kind::renew) ++known.renewals;
  return out;
}

io::Task<std::unique_ptr<Shopper::Wire>> Shopper::wire() {
  if (!idle_.empty() && random_.below(8) != 0) {
    auto out = std::move(idle_.back());
    idle_.pop_back();
    if (!out->stream->hung_up()) co_return out;
  }
  const Address& door = doors_[random_.below(doors_.size())];
  auto stream = co_await host_.connect(door, loop_.now() + 3s);
  if (!stream) co_return nullptr;
  co_return std::make_unique<Wire>(std::move(*stream));
}

// `count` requests on one connection, one behind the other without waiting; 0: the one that begins a session.
io::Task<void> Shopper::send_some(unsigned count) {
  std::vector<Order> orders;
  if (count == 0) orders.push_back(order(Kind::begin));
  for (unsigned i = 0; i < count; ++i) orders.push_back(order(draw_kind()));
  auto connection = co_await wire();
  if (!connection) {
    for (const Order& o : orders) settle_unanswered(o, false);
    co_await io::sleep_for(loop_, io::draw(random_, 1ms, 100ms));
    co_return;
  }
  std::string octets;
  for (const Order& o : orders) octets += text_of(o, &o == &orders.back());
  if (oracle_.telling())
    for (const Order& o : orders)
      oracle_.note(fmt::format("{} sent, {}", o.id, kKinds[static_cast<std::size_t>(o.kind)]));
  const bool written = co_await write(*connection->stream, octets);
  const bool leaves = random_.below(25) == 0;
  if (leaves) co_await io::sleep_for(loop_, io::draw(random_, Duration(0), 5ms));
  std::size_t answered = 0;
  bool usable = !leaves;
  for (; usable && answered < orders.size(); ++answered) {
    Answer answer;
    if (!co_await read(*connection, orders[answered], answer)) break;
    usable = answer.keep_alive && answer.whole;
  }
  oracle_.tally("answer: none", orders.size() - answered);
  // Until whatever became of it is over: at another gateway the next request would overlap with it.
  if (answered < orders.size() && alone_ && doors_.size() > 1) co_await io::sleep_for(loop_, 60s);
  for (; answered < orders.size(); ++answered) settle_unanswered(orders[answered], true);
  if (usable && written && connection->reader.empty()) idle_.push_back(std::move(connection));
}

// At once, in pieces, or as slowly as a bad line.
io::Task<bool> Shopper::write(io::Stream& stream, std::string_view octets) {
  const bool pieces = random_.below(6) == 0;
  while (!octets.empty()) {
    const std::size_t n = pieces ? 1 + random_.below(octets.size()) : octets.size();
    const auto written = co_await stream.write_all(octets.substr(0, n), loop_.now() + 30s);
    if (!written) co_return false;
    octets.remove_prefix(n);
    if (!octets.empty()) co_await io::sleep_for(loop_, io::draw(random_, Duration(0), 20ms));
  }
  co_return true;
}

std::string Shopper::text_of(const Order& o, bool last) {
  static constexpr std::array<std::string_view, 7> kPaths = {
      "POST /cart/begin/", "POST /cart/add/", "POST /again/count/", "GET /cart/read/",
      "POST /cart/renew/", "POST /cart/end/", "POST /plain/"};
  const std::string_view path = kPaths[static_cast<std::size_t>(o.kind)];
  std::string out = fmt::format("{}{} HTTP/1.1\r\nHost: shop\r\n", path, o.id);
  if (!o.cookie.empty()) out += fmt::format("Cookie: s={}\r\n", o.cookie);
  if (last && random_.below(20) == 0) out += "Connection: close\r\n";
  if (o.kind == Kind::read) return out + "\r\n";
  const std::string body(random_.below(4) == 0 ? random_.below(30'000) : random_.below(20), 'x');
  if (random_.below(10) == 0) out += "Expect: 100-continue\r\n";
  if (random_.below(4) != 0) return out + fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  out += "Transfer-Encoding: chunked\r\n\r\n";
  if (!body.empty()) out += fmt::format("{:x}\r\n{}\r\n", body.size(), body);
  return out + "0\r\n\r\n";
}

// Reads one answer and settles the order. False: there was none.
io::Task<bool> Shopper::read(Wire& w, Order& o, Answer& answer) {
  if (!co_await read_head(w, o, answer)) {
    if (answer.status == -1 && !w.silent())
      oracle_.violation(fmt::format("request {} was not answered within {} s", o.id,
                                    std::chrono::duration_cast<std::chrono::seconds>(kAnswerWithin).count()));
    co_return false;
  }
  for (;;) {
    const auto piece = co_await w.reader.next(loop_.now() + kAnswerWithin);
    if (!piece) {
      if (piece.error().code == Code::timeout && !w.silent())
        oracle_.violation(fmt::format("the answer to {} stopped and never ended", o.id));
      break;
    }
    answer.body.append(piece->data);
    answer.whole = piece->done;
    if (piece->done) break;
    if (random_.below(10) == 0) co_await io::sleep_for(loop_, io::draw(random_, Duration(0), 50ms));
  }
  if (answer.whole) w.reader.finish_message();
  if (oracle_.telling())
    oracle_.note(fmt::format("{} is answered {}{} {}", o.id, answer.status,
                             answer.whole ? "" : " (broken off)",
                             answer.status >= 400 ? answer.body.substr(0, 60) : answer.set_cookie));
  settle(o, answer);
  co_return true;
}

io::Task<bool> Shopper::read_head(Wire& w, Order& o, Answer& answer) {
  http::ResponseHead head;
  for (;;) {
    const auto came = co_await w.reader.wait_for_octets(loop_.now() + kAnswerWithin);
    if (!came && came.error().code == Code::timeout) answer.status = -1;
    if (!came || !*came) co_return false;
    answer.durable_at_first = durable(o, answer);
    const auto read = co_await w.reader.read_head(head, loop_.now() + kAnswerWithin);
    if (!read) co_return false;
    if (head.status >= 200) break;
    w.reader.begin_body({});
    (void)w.reader.next_buffered();
    w.reader.finish_message();
  }
  const auto framing =
      http::response_framing(head, o.kind == Kind::read ? http::Method::get : http::Method::post);
  if (!framing) {
    oracle_.violation("an answer of no clear length to " + o.id);
    co_return false;
  }
  w.reader.begin_body(*framing);
  answer.status = head.status;
  answer.owner = field(head, "X-Owner");
  answer.number = field(head, "X-N");
  answer.set_cookie = field(head, "Set-Cookie");
  answer.perhaps_patched = head.fields.find("X-Patched") != nullptr;
  answer.keep_alive = http::keep_alive(head) && framing->kind != http::Framing::Kind::until_close;
  for (const http::Field& f : head.fields)
    if (f.id == http::FieldId::stateway) oracle_.violation("the client was shown " + std::string(f.name));
  // Only now is the cookie there in which the session may be.
  if (!answer.set_cookie.empty()) answer.durable_at_first = durable(o, answer);
  co_return true;
}

}  // namespace stateway::sim
