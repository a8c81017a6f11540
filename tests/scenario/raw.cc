#include "raw.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "http/body_decoder.h"
#include "http/h1_parser.h"
#include "io/sockets.h"

namespace stateway::scenario {

std::string Reply::field(std::string_view name) const {
  std::string out;
  for (const auto& [n, value] : fields)
    if (equals_ignoring_case(n, name)) out.append(out.empty() ? "" : ", ").append(value);
  return out;
}

bool Reply::has(std::string_view name) const {
  for (const auto& [n, value] : fields)
    if (equals_ignoring_case(n, name)) return true;
  return false;
}

std::string Reply::problem() const {
  constexpr std::string_view kUrn = R"("type":"urn:stateway:problem:)";
  const std::size_t at = body.find(kUrn);
  if (at == std::string::npos || field("Content-Type") != "application/problem+json") return "";
  return body.substr(at + kUrn.size(), body.find('"', at + kUrn.size()) - at - kUrn.size());
}

Raw::Raw(const Address& to, Duration patience) : patience_(patience) {
  const auto address = io::literal_address(to);
  CHECK(address && *address);
  fd_ = socket((*address)->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd_ >= 0);
  if (connect(fd_, (*address)->get(), (*address)->size) != 0) {
    close();
    return;
  }
  fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Raw::Raw(int fd, Duration patience) : fd_(fd), patience_(patience) {
  if (fd_ >= 0) fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Raw::~Raw() { close(); }

void Raw::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Raw::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool Raw::wait(short events, Duration limit) {
  pollfd p{.fd = fd_, .events = events, .revents = 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  if (poll(&p, 1, static_cast<int>(ms)) > 0) return true;
  ADD_FAILURE() << "the peer did not move within " << ms << " ms";
  return false;
}

bool Raw::send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n > 0) {
      octets.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      if (!wait(POLLOUT, patience_)) return false;
    } else {
      return false;
    }
  }
  return true;
}

std::string Raw::read_some(std::size_t most) {
  if (!unread_.empty()) {
    std::string out = unread_.substr(0, most);
    unread_.erase(0, out.size());
    return out;
  }
  std::string out(most, '\0');
  for (;;) {
    const ssize_t n = recv(fd_, out.data(), out.size(), 0);
    if (n < 0 && errno == EAGAIN && wait(POLLIN, patience_)) continue;
    was_reset_ = was_reset_ || (n < 0 && errno == ECONNRESET);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
}

std::string Raw::read_now() {
  std::string out = std::exchange(unread_, {});
  char buffer[4096];
  for (ssize_t n; (n = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
    out.append(buffer, static_cast<std::size_t>(n));
  return out;
}

bool Raw::at_end() {
  char octet;
  const ssize_t n = recv(fd_, &octet, 1, MSG_DONTWAIT | MSG_PEEK);
  return n == 0 || (n < 0 && errno != EAGAIN);
}

std::string Raw::read(std::size_t n) {
  std::string out;
  while (out.size() < n) {
    const std::string more = read_some(n - out.size());
    if (more.empty()) break;
    out.append(more);
  }
  return out;
}

std::string Raw::read_to_end() {
  std::string out;
  for (std::string more = read_some(); !more.empty(); more = read_some()) out.append(more);
  return out;
}

Reply Raw::reply(std::string_view method) {
  Reply out;
  std::string input = std::exchange(unread_, {});
  const auto read_more = [&] {
    const std::string more = read_some();
    input.append(more);
    return !more.empty();
  };
  http::ResponseHead head;
  for (;;) {
    const auto consumed = http::parse_response_head(input, {.head_bytes_max = 1 << 20}, head);
    if (consumed) {
      if (head.status >= 200 || head.status == 101) {
        out.status = head.status;
        for (const http::Field& f : head.fields) out.fields.emplace_back(f.name, f.value);
        const auto framing = http::response_framing(head, http::method_of(method));
        EXPECT_TRUE(framing.has_value()) << input;
        http::BodyDecoder body(framing.value_or(http::Framing{}), Side::upstream);
        input.erase(0, *consumed);
        while (!body.done()) {
          const auto step = body.next(input);
          EXPECT_TRUE(step.has_value()) << input;
          if (!step) return out;
          out.body.append(step->data);
          input.erase(0, step->consumed);
          if (!body.done() && input.empty() && !read_more()) {
            EXPECT_TRUE(body.finish_at_eof().has_value()) << "the answer broke off: " << out.body;
            break;
          }
        }
        unread_ = std::move(input);
        return out;
      }
      input.erase(0, *consumed);
    } else if (consumed.error().code != Code::incomplete || !read_more()) {
      ADD_FAILURE() << "no answer, but: '" << input << "'";
      return out;
    }
  }
}

Reply Raw::ask(std::string_view request) {
  send(request);
  return reply(request.substr(0, request.find(' ')));
}

void Raw::send_last(std::string_view octets) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  send(octets);
  shutdown_write();
}

void Raw::shutdown_write() { shutdown(fd_, SHUT_WR); }

}  // namespace stateway::scenario
