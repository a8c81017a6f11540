#include "upstream/health.h"

#include <algorithm>

#include "http/octets.h"
#include "upstream/service_on_loop.h"
#include "wire/client.h"

namespace stateway::upstream {

HealthRules::HealthRules(const ServiceOptions& options)
    : supervised_(!options.command.empty()),
      http_(options.health.has_value()),
      interval_(options.health.value_or(HealthOptions{}).interval),
      fall_(http_ ? options.health->fall : 1),
      rise_(http_ ? options.health->rise : 1) {}

void HealthRules::meet(Instance::Status status, TimePoint now) {
  if (status == met_) return;
  met_ = status;
  met_at_ = last_ = now;
  checks_ = good_ = bad_ = 0;
  by_check_ = status == verdict_;
}

Duration HealthRules::eager(unsigned step) const {
  return std::min({kEagerFirst * (1u << std::min(step, 16u)), kEagerLast, interval_});
}

TimePoint HealthRules::due(Instance::Status status, bool process_runs, TimePoint now) {
  meet(status, now);
  if (supervised_ && !process_runs) return io::kNoDeadline;
  switch (status.state) {
    case State::starting:
      return checks_ == 0 ? last_ : last_ + eager(checks_ - 1);
    case State::up:
      return http_ ? last_ + interval_ : io::kNoDeadline;
    case State::down:
      return last_ + (by_check_ ? interval_ : eager(checks_));
    case State::draining:
    case State::stopped:
      break;
  }
  return io::kNoDeadline;
}

HealthRules::Verdict HealthRules::judge(Instance::Status status, bool good, TimePoint now) {
  if (status != met_) return Verdict::none;
  last_ = now;
  ++checks_;
  good_ = good ? good_ + 1 : 0;
  bad_ = good ? 0 : bad_ + 1;
  bool up = false;
  bool down = false;
  switch (status.state) {
    case State::starting:
      up = good;
      down = supervised_ ? !good && now - met_at_ >= kStartAllowance : bad_ >= fall_;
      break;
    case State::up:
      down = bad_ >= fall_;
      break;
    case State::down:
      up = good_ >= (by_check_ ? rise_ : 1);
      break;
    case State::draining:
    case State::stopped:
      break;
  }
  if (down) verdict_ = {status.generation, State::down};
  return up ? Verdict::up : down ? Verdict::down : Verdict::none;
}

bool checked_alike(const ServiceOptions& a, const ServiceOptions& b) {
  return a.health == b.health && a.timeout.connect == b.timeout.connect &&
         a.command.empty() == b.command.empty();
}

HealthProbe::HealthProbe(const ServiceOptions& options, io::Loop& loop, io::Network& network)
    : health_(options.health),
      patience_(options.health ? options.health->timeout : options.timeout.connect),
      loop_(loop),
      network_(network) {}

io::Task<Result<void>> HealthProbe::run(Endpoint to) {
  const TimePoint deadline = loop_.now() + patience_;
  auto stream = co_await network_.connect(to.address, deadline);
  if (!stream) co_return pass_on(std::move(stream));
  if (!health_) co_return Result<void>{};

  std::string host = to.host;
  if (host.empty()) host = to.address.kind == Address::Kind::tcp ? to_string(to.address) : "localhost";
  wire::ClientRequest request;
  request.target = health_->path;
  request.host = host;
  request.fields = {{"User-Agent", "stateway-health"}, {"Connection", "close"}};
  if (to.token && http::is_valid_field_value(to.token->reveal()))
    request.fields.emplace_back("Stateway-Token", to.token->reveal());
  wire::Client client(std::move(*stream), {});
  auto response = co_await client.exchange(request, deadline);
  if (!response && response.error().code == Code::timeout)
    co_return fail(Code::response_timeout, Side::upstream,
                   "no answer to " + health_->path + " within health.timeout");
  if (!response) co_return pass_on(std::move(response));
  if (response->status < 200 || response->status >= 400)
    co_return fail(Code::bad_response, Side::upstream,
                   health_->path + " answered " + std::to_string(response->status));
  co_return Result<void>{};
}

}  // namespace stateway::upstream
