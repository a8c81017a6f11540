#include "io/sim/link.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace stateway::io {
namespace {

constexpr unsigned other(unsigned end) { return 1 - end; }

Transfer failed(int error) { return {Transfer::State::failed, 0, error}; }

std::string prefix_of(std::span<const iovec> from, std::size_t octets) {
  std::string out;
  out.reserve(octets);
  for (const iovec& v : from) {
    const std::size_t n = std::min(v.iov_len, octets - out.size());
    out.append(static_cast<const char*>(v.iov_base), n);
  }
  return out;
}

}  // namespace

SimLink::SimLink(SimMedium& medium, bool tcp) : medium_(medium), tcp_(tcp) {
  const Faults& f = medium_.faults;
  for (Way& way : ways_) way.capacity = f.buffer_min + medium_.random.below(f.buffer_max - f.buffer_min + 1);
}

void SimLink::attach(unsigned end, SimStream& stream) {
  ends_[end].stream = &stream;
  const Way& way = ways_[end];
  if (way.arrived || ends_[end].broken)
    stream.raise(SimStream::kReadable | SimStream::kEnds);
  else if (way.unread() > 0)
    stream.raise(SimStream::kReadable);
}

void SimLink::close(unsigned end, bool hard) {
  End& here = ends_[end];
  here.stream = nullptr;
  here.closed = true;
  if (here.broken) return;
  if (hard || ways_[end].unread() > 0)
    send_reset(other(end));
  else
    send_end(other(end));
}

Transfer SimLink::read(unsigned end, std::span<char> into, bool& more) {
  Way& way = ways_[end];
  std::size_t n = std::min(way.unread(), into.size());
  more = true;
  if (n == 0) {
    if (ends_[end].broken) return failed(ECONNRESET);
    if (way.arrived || ends_[end].aborted) return {Transfer::State::end};
    more = false;
    return {Transfer::State::again};
  }
  if (n > 1 && happens(medium_.random, medium_.faults.short_read)) n = 1 + medium_.random.below(n - 1);
  std::memcpy(into.data(), way.there.data() + way.read, n);
  way.read += n;
  // As a socket: after a read that filled its buffer exactly nobody knows whether more is there.
  more = way.unread() > 0 || n == into.size();
  if (way.unread() == 0) {
    way.there.clear();
    way.read = 0;
  }
  if (std::exchange(way.waited, false)) make_room(other(end));
  return {Transfer::State::ok, n};
}

// The peer learns of room after a while, as of anything else.
void SimLink::make_room(unsigned writer) {
  if (silent_) return;
  const Faults& f = medium_.faults;
  medium_.loop.at(medium_.loop.now() + draw(medium_.random, f.latency_min, f.latency_max),
                  [self = shared_from_this(), writer] {
                    self->ways_[other(writer)].resting = false;
                    self->raise(writer, SimStream::kWritable);
                  });
}

Transfer SimLink::write(unsigned end, std::span<const iovec> from) {
  const End& here = ends_[end];
  Way& way = ways_[other(end)];
  if (here.broken) return failed(here.aborted ? EPIPE : ECONNRESET);
  if (here.aborted || way.ended) return failed(EPIPE);
  std::size_t n = 0;
  for (const iovec& v : from) n += v.iov_len;
  if (way.room() == 0) {
    way.waited = true;
    return {Transfer::State::again};
  }
  n = std::min(n, way.room());
  const Faults& f = medium_.faults;
  if (n > 1 && happens(medium_.random, f.short_write)) {
    n = 1 + medium_.random.below(n - 1);
    way.resting = true;
    make_room(end);
  }
  std::string octets = prefix_of(from, n);
  way.under_way += n;
  if (!silent_ && happens(medium_.random, f.silence)) {
    ++medium_.counters.silences;
    silence();
  }
  if (!silent_ && happens(medium_.random, f.reset)) {
    ++medium_.counters.resets;
    medium_.loop.at(medium_.loop.now() + draw(medium_.random, f.latency_min, f.latency_max),
                    [self = shared_from_this()] { self->reset(); });
  }
  while (octets.size() > 1 && happens(medium_.random, f.split)) {
    const std::size_t first = 1 + medium_.random.below(octets.size() - 1);
    send(other(end), octets.substr(0, first));
    octets.erase(0, first);
  }
  send(other(end), std::move(octets));
  return {Transfer::State::ok, n};
}

// Nothing overtakes within a direction.
TimePoint SimLink::arrival(Way& way) {
  const Faults& f = medium_.faults;
  Duration after = draw(medium_.random, f.latency_min, f.latency_max);
  if (happens(medium_.random, f.delay)) after = draw(medium_.random, f.latency_max, f.delay_max);
  way.last_arrival = std::max(way.last_arrival, medium_.loop.now() + after);
  return way.last_arrival;
}

void SimLink::send(unsigned to, std::string octets) {
  if (silent_) return;
  const TimePoint when = arrival(ways_[to]);
  medium_.loop.at(when,
                  [self = shared_from_this(), to, octets = std::move(octets)] { self->arrive(to, octets); });
}

void SimLink::arrive(unsigned to, const std::string& octets) {
  if (silent_ || ends_[to].broken) return;
  Way& way = ways_[to];
  way.under_way -= octets.size();
  medium_.counters.octets += octets.size();
  if (ends_[to].closed) return send_reset(other(to));
  way.there.append(octets);
  raise(to, SimStream::kReadable);
  if (happens(medium_.random, medium_.faults.spurious)) {
    const TimePoint later =
        medium_.loop.now() + draw(medium_.random, Duration(0), medium_.faults.latency_max);
    medium_.loop.at(later, [self = shared_from_this(), to] {
      self->raise(to, SimStream::kReadable | SimStream::kWritable);
    });
  }
}

void SimLink::shutdown(unsigned end) { send_end(other(end)); }

void SimLink::abort(unsigned end) {
  if (std::exchange(ends_[end].aborted, true)) return;
  send_end(other(end));
  raise(end, SimStream::kReadable | SimStream::kWritable | SimStream::kEnds);
}

void SimLink::send_end(unsigned to) {
  if (std::exchange(ways_[to].ended, true) || silent_) return;
  medium_.loop.at(arrival(ways_[to]), [self = shared_from_this(), to] {
    if (self->silent_ || self->ends_[to].broken) return;
    self->ways_[to].arrived = true;
    self->raise(to, SimStream::kReadable | SimStream::kEnds);
  });
}

// Overtakes what is under way, which is lost then.
void SimLink::send_reset(unsigned to) {
  if (silent_) return;
  const Faults& f = medium_.faults;
  medium_.loop.at(medium_.loop.now() + draw(medium_.random, f.latency_min, f.latency_max),
                  [self = shared_from_this(), to] {
                    if (!self->silent_) self->break_end(to);
                  });
}

void SimLink::break_end(unsigned end) {
  End& here = ends_[end];
  if (here.closed || std::exchange(here.broken, true)) return;
  Way& way = ways_[end];
  if (medium_.random.below(2) == 0) {
    way.there.clear();
    way.read = 0;
  }
  raise(end, SimStream::kReadable | SimStream::kWritable | SimStream::kEnds);
}

bool SimLink::quiet(unsigned end) const {
  return ways_[end].unread() == 0 && !ways_[end].arrived && !ends_[end].broken && !ends_[end].aborted;
}

void SimLink::reset() {
  if (silent_) return;
  break_end(0);
  break_end(1);
}

void SimLink::raise(unsigned end, unsigned events) {
  if (ends_[end].stream != nullptr) ends_[end].stream->raise(events);
}

SimStream::SimStream(SimLoop& loop, std::shared_ptr<SimLink> link, unsigned end)
    : Stream(loop), loop_(loop), link_(std::move(link)), end_(end) {
  link_->attach(end_, *this);
}

SimStream::~SimStream() {
  loop_.remove(*this);
  link_->close(end_, hard_);
}

Transfer SimStream::try_read(std::span<char> into) {
  bool more = false;
  const Transfer read = link_->read(end_, into, more);
  if (!more && !ended_) read_ready_ = false;
  return read;
}

void SimStream::on_events(unsigned events) {
  SimLoop& loop = loop_;  // each notification may destroy this stream; the loop then serves nobody
  SimWatch* const self = this;
  const bool ends = (events & kEnds) != 0;
  if (ends) ended_ = hung_up_ = true;
  if ((events & kReadable) != 0) {
    notify_readable();
    if (!loop.serving(self)) return;
  }
  if ((events & kWritable) != 0) {
    notify_writable();
    if (!loop.serving(self)) return;
  }
  if (ends) notify_hangup();
}

}  // namespace stateway::io
