// One simulated connection: two directions with bounded buffers, and what the network does to them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "io/sim/faults.h"
#include "io/sim/loop.h"
#include "io/stream.h"

namespace stateway::io {

class SimStream;

/// What the network has done so far; a soak shows that its faults do happen.
struct SimCounters {
  std::uint64_t connects = 0;
  std::uint64_t refused = 0;  // by fault, or because nobody listened
  std::uint64_t lost = 0;     // connects that nothing answered
  std::uint64_t resets = 0;   // by fault
  std::uint64_t silences = 0;
  std::uint64_t octets = 0;  // arrived
};

/// What all connections share.
struct SimMedium {
  SimLoop& loop;
  Random& random;
  Faults faults;
  SimCounters counters;
};

/// Kept alive by its two ends and by what is under way. Ends are numbered 0, who connected, and 1, who
/// accepted.
class SimLink : public std::enable_shared_from_this<SimLink> {
 public:
  /// `tcp`: otherwise a unix socket, which cannot be reset on purpose.
  SimLink(SimMedium& medium, bool tcp);

  void attach(unsigned end, SimStream& stream);
  /// The end is closed: a reset if octets it never read are there, or if it is `hard`; else its end of
  /// stream.
  void close(unsigned end, bool hard);

  Transfer read(unsigned end, std::span<char> into, bool& more);
  Transfer write(unsigned end, std::span<const iovec> from);
  void shutdown(unsigned end);
  /// Both directions, at this end.
  void abort(unsigned end);
  /// Neither octets nor an end are there to be read.
  bool quiet(unsigned end) const;
  bool tcp() const { return tcp_; }

  /// Half-open from now on: nothing arrives any more.
  void silence() { silent_ = true; }
  bool silent() const { return silent_; }
  /// It breaks, for both ends.
  void reset();

 private:
  // Octets on their way to `end`, and those that are there.
  struct Way {
    std::string there;
    std::size_t read = 0;  // of `there`
    std::size_t under_way = 0;
    std::size_t capacity = 0;
    TimePoint last_arrival{};
    bool ended = false;    // the writer wrote its end
    bool arrived = false;  // … and the reader sees it
    bool waited = false;   // the writer found no room
    bool resting = false;  // a short write: no room until an edge
    std::size_t room() const { return resting ? 0 : capacity - (there.size() - read) - under_way; }
    std::size_t unread() const { return there.size() - read; }
  };
  struct End {
    SimStream* stream = nullptr;
    bool closed = false;
    bool aborted = false;  // here
    bool broken = false;   // a reset arrived
  };

  TimePoint arrival(Way& way);
  void send(unsigned to, std::string octets);
  void arrive(unsigned to, const std::string& octets);
  void send_end(unsigned to);
  void send_reset(unsigned to);
  void break_end(unsigned end);
  void make_room(unsigned writer);
  void raise(unsigned end, unsigned events);

  SimMedium& medium_;
  const bool tcp_;
  bool silent_ = false;
  std::array<Way, 2> ways_;  // by the end that reads
  std::array<End, 2> ends_;
};

/// One end of a link.
class SimStream final : public Stream, private SimWatch {
 public:
  enum Event : unsigned { kReadable = 1, kWritable = 2, kEnds = 4 };

  SimStream(SimLoop& loop, std::shared_ptr<SimLink> link, unsigned end);
  ~SimStream() override;

  Transfer try_read(std::span<char> into) override;
  Transfer try_write(std::span<const iovec> from) override { return link_->write(end_, from); }
  void shutdown_write() override { link_->shutdown(end_); }
  void abort() override { link_->abort(end_); }
  bool silent() override { return link_->quiet(end_); }
  void reset_on_close() override { hard_ = link_->tcp(); }

  SimLink& link() { return *link_; }
  /// Told by the link.
  void raise(unsigned events) { loop_.raise(*this, events); }

 private:
  void on_events(unsigned events) override;

  SimLoop& loop_;
  std::shared_ptr<SimLink> link_;
  unsigned end_;
  bool hard_ = false;
  bool ended_ = false;
};

}  // namespace stateway::io
