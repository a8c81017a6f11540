#include "lab/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

namespace stateway::lab {
namespace {

// tidy: clock: the loop's time is that of the turn's start; a latency needs the time of the moment.
TimePoint read_clock() { return std::chrono::steady_clock::now(); }

}  // namespace

Load::Load(io::Loop& loop, io::Network& network, LoadOptions options, Workload& workload)
    : loop_(loop),
      network_(network),
      options_(std::move(options)),
      workload_(workload),
      targets_(options_.others),
      random_(options_.seed),
      clients_(options_.clients) {
  CHECK(options_.clients > 0 && options_.rate > 0);
  CHECK(options_.requests > 0 || options_.duration > Duration(0));
  targets_.insert(targets_.begin(), options_.target);
  for (const Address& target : targets_)
    hosts_.push_back(target.kind == Address::Kind::tcp ? to_string(target) : "localhost");
  for (Client& client : clients_) client.connections.resize(targets_.size());
}

io::Task<LoadReport> Load::run() {
  start_ = loop_.now();
  for (unsigned i = 0; i < options_.clients; ++i) tasks_.spawn(play(i));
  co_await tasks_.drained();
  report_.elapsed = read_clock() - start_;
  co_return report_;
}

bool Load::turn_of(unsigned client, std::uint64_t sequence, Turn& out) const {
  if (stopped_) return false;
  const std::uint64_t place = sequence * options_.clients + client;
  if (options_.requests > 0 && place >= options_.requests) return false;
  const std::chrono::duration<double> offset(static_cast<double>(place) / options_.rate);
  const auto due = std::chrono::duration_cast<Duration>(offset);
  if (options_.duration > Duration(0) && due >= options_.duration) return false;
  out = {.client = client, .sequence = sequence, .intended = start_ + due};
  return true;
}

io::Task<void> Load::play(unsigned client) {
  Turn turn;
  for (std::uint64_t sequence = 0; turn_of(client, sequence, turn); ++sequence) {
    if (turn.intended > loop_.now()) co_await io::SleepUntil(loop_, turn.intended);
    if (stopped_) break;
    co_await take(clients_[client], turn);
  }
  for (auto& connection : clients_[client].connections) connection.reset();
}

io::Task<Result<std::size_t>> Load::connect(Client& client) {
  const std::size_t first = random_.below(targets_.size());
  for (std::size_t tried = 0;; ++tried) {
    const std::size_t at = (first + tried) % targets_.size();
    std::unique_ptr<wire::Client>& connection = client.connections[at];
    if (connection != nullptr && connection->reusable()) co_return at;
    connection.reset();
    auto stream = co_await network_.connect(targets_[at], loop_.now() + options_.connect_timeout);
    if (stream) {
      connection = std::make_unique<wire::Client>(std::move(*stream), wire::Client::Limits{});
      co_return at;
    }
    if (tried + 1 == targets_.size()) co_return pass_on(std::move(stream));
  }
}

io::Task<void> Load::take(Client& client, const Turn& turn) {
  wire::ClientRequest request = workload_.make(turn);
  if (std::string cookies = client.cookies.header(); !cookies.empty())
    request.fields.emplace_back("Cookie", std::move(cookies));

  const auto target = co_await connect(client);
  if (!target) {
    count(turn, {.fate = Outcome::Fate::not_sent, .error = &target.error()});
    co_return;
  }
  request.host = hosts_[*target];
  std::unique_ptr<wire::Client>& connection = client.connections[*target];
  const auto response = co_await connection->exchange(request, loop_.now() + options_.exchange_timeout);
  if (response) {
    client.cookies.take(*response);
    count(turn, {.fate = Outcome::Fate::answered, .response = &*response});
  } else {
    const bool sent = connection->sent() != wire::Sent::nothing;
    connection.reset();
    count(turn, {.fate = sent ? Outcome::Fate::indeterminate : Outcome::Fate::not_sent,
                 .error = &response.error()});
  }
}

void Load::count(const Turn& turn, Outcome outcome) {
  outcome.latency = read_clock() - turn.intended;
  switch (outcome.fate) {
    case Outcome::Fate::answered:
      ++(outcome.response->status < 400 ? report_.ok : report_.refused);
      ++report_.statuses[outcome.response->status];
      report_.latency.record(outcome.latency);
      break;
    case Outcome::Fate::indeterminate:
      ++report_.indeterminate;
      break;
    case Outcome::Fate::not_sent:
      ++report_.not_sent;
      break;
  }
  workload_.done(turn, outcome);
}

std::string LoadReport::text() const {
  std::vector<std::string> by_status;
  for (const auto& [status, n] : statuses) by_status.push_back(fmt::format("{} × {}", n, status));
  const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  return fmt::format(
      "{} turns in {:.1f} s: {} ok, {} refused, {} indeterminate, {} not sent; {}; "
      "p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms",
      turns(), std::chrono::duration<double>(elapsed).count(), ok, refused, indeterminate, not_sent,
      fmt::join(by_status, ", "), ms(latency.quantile(0.5)), ms(latency.quantile(0.99)), ms(latency.max()));
}

}  // namespace stateway::lab
