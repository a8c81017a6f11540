#include "origin.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "http/problem.h"
#include "http/websocket.h"
#include "http/writer.h"
#include "wire/client.h"

namespace stateway::scenario {
namespace {

constexpr Duration kPatience = 60s;  // with peers that do not move

std::uint64_t number(std::string_view query, std::string_view name) {
  return parse_decimal(query_value(query, name)).value_or(0);
}

// One connection; `false` from a step ends it.
class Conversation {
 public:
  Conversation(Origin& origin, io::Stream& stream)
      : origin_(origin), stream_(stream), reader_(stream, Side::client, {.head_bytes_max = 64 * 1024}) {}

  io::Task<void> serve() {
    for (;;) {
      const auto alive = co_await reader_.wait_for_octets(deadline());
      if (!alive || !*alive || !co_await serve_one()) co_return;
    }
  }

 private:
  TimePoint deadline() const { return stream_.loop().now() + kPatience; }

  io::Task<bool> serve_one() {
    head_.clear();
    if (!co_await reader_.read_head(head_, deadline())) co_return false;
    auto target = http::parse_target(head_.method, head_.target);
    const auto framing = http::request_framing(head_);
    if (!target || !framing) co_return false;
    const std::string_view path = target->path();
    what_ = path.substr(path.rfind('/') + 1);
    query_ = target->query;
    if (what_ != "healthz" && what_ != "count" && what_ != "most" && what_ != "let-go") ++origin_.count;
    if (head_.fields.has(http::FieldId::expect) && !co_await write("HTTP/1.1 100 Continue\r\n\r\n"))
      co_return false;
    reader_.begin_body(*framing);
    if (what_ == "sink") co_return co_await sink() && finish();
    std::string body;
    if (!co_await read_body(body)) co_return false;
    co_return co_await answer(std::move(body)) && finish();
  }

  bool finish() {
    const bool keep = http::keep_alive(head_);  // the head dies with its message
    reader_.finish_message();
    return keep;
  }

  io::Task<bool> answer(std::string body) {
    if (what_ == "healthz") co_return co_await reply(200, "", "ok");
    if (what_ == "echo-head") co_return co_await reply(200, "", head_text());
    if (what_ == "bytes") co_return co_await bytes(number(query_, "n"));
    if (what_ == "written") co_return co_await reply(200, "", std::to_string(origin_.written));
    if (what_ == "count") co_return co_await reply(200, "", std::to_string(origin_.count));
    if (what_ == "slow") co_return co_await slow();
    if (what_ == "most") co_return co_await reply(200, "", std::to_string(origin_.slow_most));
    if (what_ == "most-of-one") co_return co_await reply(200, "", std::to_string(origin_.patching_most));
    if (what_ == "let-go") {
      ++origin_.let_go;
      co_return co_await reply(200, "", "gone");
    }
    if (what_ == "ws") co_return co_await tunnel();
    if (what_ == "patch") co_return co_await patch(body);
    if (what_ == "session") co_return co_await reply(200, "", session_text());
    if (what_ == "set-cookie") co_return co_await reply(200, fmt::format("Set-Cookie: {}\r\n", body), "");
    if (what_ == "session-url") co_return co_await session_url(std::move(body));
    co_return co_await reply(404, "", "the origin does not know that");
  }

  io::Task<bool> reply(int code, std::string_view fields, std::string body) {
    std::string out;
    http::append_status_line(out, code, http::reason_phrase(code));
    out.append(fields);
    if (code != 204) http::append_field(out, "Content-Length", body.size());
    http::end_head(out);
    const bool bodiless = code == 204 || code == 304 || head_.method == http::Method::head;
    if (!bodiless) out.append(body);
    co_return co_await write(out);
  }

  io::Task<bool> write(std::string_view octets) {
    const auto written = co_await stream_.write_all(octets, deadline());
    co_return written.has_value();
  }

  io::Task<bool> read_body(std::string& body) {
    for (;;) {
      const auto piece = co_await reader_.next(deadline());
      if (!piece) co_return false;
      body.append(piece->data);
      if (piece->done) co_return true;
    }
  }

  std::string head_text() const {
    std::string out = fmt::format("{} {} HTTP/1.{}\n", head_.method_text, head_.target, head_.minor);
    for (const http::Field& f : head_.fields) out.append(f.name).append(": ").append(f.value).append("\n");
    return out;
  }

  io::Task<bool> bytes(std::uint64_t n) {
    const bool chunked = number(query_, "chunked") != 0;
    std::string head = "HTTP/1.1 200 OK\r\n";
    if (chunked)
      head.append("Transfer-Encoding: chunked\r\n\r\n");
    else
      head.append(fmt::format("Content-Length: {}\r\n\r\n", n));
    if (!co_await write(head)) co_return false;
    for (std::uint64_t at = 0; at < n;) {
      const std::string_view piece = origin_.pattern.at(at, n - at);
      if (chunked && !co_await write(http::ChunkHeader(piece.size()).view())) co_return false;
      if (!co_await write(piece)) co_return false;
      if (chunked && !co_await write(http::kChunkEnd)) co_return false;
      at += piece.size();
      origin_.written += piece.size();
    }
    co_return !chunked || co_await write(http::kLastChunk);
  }

  io::Task<bool> sink() {
    PatternCheck check(origin_.pattern);
    for (;;) {
      const auto piece = co_await reader_.next(deadline());
      if (!piece) co_return false;
      check.take(piece->data);
      if (piece->done) break;
    }
    co_return co_await reply(200, "", fmt::format("{} {}", check.octets(), check.good() ? "good" : "bad"));
  }

  io::Task<bool> slow() {
    origin_.slow_most = std::max(origin_.slow_most, ++origin_.slow_now);
    // tidy: sleep: a slow service is what it plays.
    co_await io::sleep_for(stream_.loop(), std::chrono::milliseconds(number(query_, "ms")));
    --origin_.slow_now;
    co_return co_await reply(200, "", "at last");
  }

  io::Task<bool> tunnel() {
    const std::string_view key = head_.fields.value_of(http::FieldId::sec_websocket_key);
    const std::string head = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: {}\r\n\r\n",
        http::websocket_accept(key));
    if (!co_await write(head) || !co_await write(reader_.take_unread())) co_return false;
    std::array<char, 4096> buffer;
    for (;;) {
      const auto n = co_await stream_.read_some(buffer, deadline());
      if (!n || *n == 0 || !co_await write({buffer.data(), *n})) co_return false;
    }
  }

  // As long as its query says.
  io::Task<void> take_time() {
    const unsigned held_until = origin_.let_go + (number(query_, "hold") != 0 ? 1 : 0);
    const std::string session(given("Stateway-Session-Id"));
    origin_.patching_most = std::max(origin_.patching_most, ++origin_.patching[session]);
    // tidy: sleep: a slow service is what it plays.
    co_await io::sleep_for(stream_.loop(), std::chrono::milliseconds(number(query_, "ms")));
    while (origin_.let_go < held_until) co_await io::sleep_for(stream_.loop(), 1ms);
    if (--origin_.patching[session] == 0) origin_.patching.erase(session);
  }

  // Until so many are here.
  io::Task<void> gather(std::uint64_t count) {
    if (origin_.gathered.size() + 1 >= count) {
      origin_.gathered.wake_all();
    } else {
      (void)co_await origin_.gathered.wait(deadline());
    }
  }

  io::Task<bool> patch(std::string_view body) {
    co_await take_time();
    if (const std::uint64_t count = number(query_, "gather"); count > 1) co_await gather(count);
    std::string fields;
    if (!body.empty()) http::append_field(fields, "Stateway-Session-Patch", body);
    if (const std::string_view op = query_value(query_, "op"); !op.empty())
      http::append_field(fields, "Stateway-Session-Op", op);
    const std::uint64_t code = number(query_, "code");
    co_return co_await reply(code == 0 ? 200 : static_cast<int>(code), fields, "patched");
  }

  std::string_view given(std::string_view name) const {
    const http::Field* found = head_.fields.find(name);
    return found == nullptr ? std::string_view("-") : found->value;
  }
  std::string session_text() const {
    return fmt::format("{} {} {}", given("Stateway-Session-Id"), given("Stateway-Session-Version"),
                       given("Stateway-Session"));
  }

  io::Task<bool> session_url(std::string body) {
    std::string_view url = given("Stateway-Session-Url");
    url.remove_prefix(std::min(url.size(), std::string_view("http://").size()));
    const std::size_t slash = std::min(url.find('/'), url.size());
    const auto address = parse_address(url.substr(0, slash));
    if (!address) co_return co_await reply(500, "", "no session URL");
    auto connected = co_await origin_.network.connect(*address, deadline());
    if (!connected) co_return co_await reply(500, "", "the session URL cannot be reached");
    wire::Client client(std::move(*connected), {});
    wire::ClientRequest request;
    request.host = url.substr(0, slash);
    request.target = url.substr(slash);
    if (!body.empty()) {
      request.method = "PATCH";
      request.fields = {{"Content-Type", body.starts_with('[') ? "application/json-patch+json"
                                                               : "application/merge-patch+json"}};
      request.body = std::move(body);
    }
    const auto got = co_await client.exchange(request, deadline());
    if (!got) co_return co_await reply(500, "", "the session URL did not answer");
    const auto code = number(query_, "code");  // of the answer to the client; 200 unless told
    co_return co_await reply(code == 0 ? 200 : static_cast<int>(code), "",
                             fmt::format("{} {}", got->status, got->body));
  }

  Origin& origin_;
  io::Stream& stream_;
  wire::Reader reader_;
  http::RequestHead head_;
  std::string_view what_, query_;  // views into the head
};

}  // namespace

std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    query.remove_prefix(1);  // '?' or '&'
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size());
    if (pair.substr(0, pair.find('=')) == name) return pair.substr(std::min(pair.size(), name.size() + 1));
  }
  return {};
}

io::Task<void> serve_origin(Origin& origin, io::Accepted accepted) {
  Conversation conversation(origin, *accepted.stream);
  co_await conversation.serve();
}

}  // namespace stateway::scenario
