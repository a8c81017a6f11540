// A byte stream bound to one loop: TCP, unix socket or pipe; TLS over one of them; in tests a simulated one.
//
// A backend implements the non-blocking primitives (`try_read`, `try_write`, …) and reports readiness edges;
// the awaitables and their deadlines are here, once. At most one reader and one writer wait at a time.
// Destroying an awaitable cancels the wait at once. Not thread-safe. Must not outlive its loop.
#pragma once

#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "io/loop.h"

namespace stateway::io {

/// The closed set of results of a non-blocking read or write.
struct Transfer {
  enum class State : unsigned char {
    ok,     // `bytes` were moved; a short count is not an error
    again,  // would block
    end,    // read: the peer ended its side cleanly
    failed  // the stream is unusable; `error_number` says why
  };
  State state;
  std::size_t bytes = 0;
  int error_number = 0;
};

class Stream {
 public:
  explicit Stream(Loop& loop) : loop_(loop), reader_(loop), writer_(loop) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Reads what is there, at most into.size() > 0 octets.
  virtual Transfer try_read(std::span<char> into) = 0;
  /// Writes a prefix of the buffers.
  virtual Transfer try_write(std::span<const iovec> from) = 0;
  /// Ends our side; the peer reads end of stream after what was written. Errors are left for the next read.
  virtual void shutdown_write() = 0;
  /// Breaks both directions: waiting and later reads find the end or an error, on a later turn of the loop.
  virtual void abort() = 0;
  /// Asks the system: true when the peer has sent nothing that is unread and has not ended its side.
  virtual bool silent() = 0;
  /// Makes the destructor reset the connection instead of ending it, so that the peer cannot mistake a broken
  /// message for a complete one.
  virtual void reset_on_close() = 0;

  class Readiness;
  class Read;
  class Write;

  /// Waits until a read would not block (data, end or error). Holds no buffer meanwhile. Result: nothing, or
  /// timeout.
  Readiness readable(TimePoint deadline);
  /// Reads at least one octet. Result: octets read, 0 at the end of the stream; Code::timeout, Code::io.
  /// `into` must live until completion.
  Read read_some(std::span<char> into, TimePoint deadline);
  /// Writes all of the buffers (at most Write::kBuffers of them), in order. Code::timeout, Code::io; then an
  /// unknown prefix has been written, or, if the error says Retry::always, nothing. The deadline
  /// moves with each step forward: it is for the first octet, and for each pause after that. The octets must
  /// live until completion.
  Write write_all(std::span<const iovec> from, TimePoint deadline);
  Write write_all(std::string_view from, TimePoint deadline);

  /// Who is told, once, that the peer has ended its side or the connection broke, even while nobody reads. It
  /// may destroy the stream's waiters and the stream. nullptr: nobody.
  class HangupListener {
   public:
    virtual void on_hangup() = 0;

   protected:
    ~HangupListener() = default;
  };
  void set_hangup_listener(HangupListener* listener) { hangup_listener_ = listener; }
  bool hung_up() const { return hung_up_; }
  /// True when a read might not block: data came, or the stream ended, since a read last found nothing.
  /// An idle pooled connection for which this is true is not usable.
  bool maybe_readable() const { return read_ready_; }
  Loop& loop() { return loop_; }

  class Edges;

 protected:
  /// Edges, reported by the backend.
  void notify_readable();
  void notify_writable();
  void notify_hangup();
  /// Called when a writer begins to wait, so that a backend may ask for write edges only then.
  virtual void want_write() {}
  bool writer_waits() const { return writer_.waiter != nullptr; }
  /// Waits for notify_writable; for a connect in progress. Result: nothing, or timeout.
  Readiness next_write_edge(TimePoint deadline);

  bool read_ready_ = false;  // backends clear it when a read found nothing more
  bool hung_up_ = false;

 private:
  struct Waiter {
    virtual void ready() = 0;
    virtual void timed_out() = 0;

   protected:
    ~Waiter() = default;
  };
  // The deadline lives in the stream, not in the awaitable, so that moving it is a plain store.
  struct Direction final : Timer {
    explicit Direction(Loop& loop) : Timer(loop.timers()) {}
    void on_timer() override {
      if (waiter != nullptr) waiter->timed_out();
    }
    void begin(Waiter& w, TimePoint deadline) {
      CHECK(waiter == nullptr);
      waiter = &w;
      arm(deadline);
    }
    void end(Waiter& w) {
      if (waiter != &w) return;
      waiter = nullptr;
      disarm();
    }
    Waiter* waiter = nullptr;
  };

  Loop& loop_;
  Direction reader_;
  Direction writer_;
  HangupListener* hangup_listener_ = nullptr;
};

class Stream::Readiness final : private Waiter {
 public:
  Readiness(Direction& d, bool already, TimePoint deadline)
      : direction_(d), already_(already), deadline_(deadline) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness() { direction_.end(*this); }
  bool await_ready() const { return already_; }
  void await_suspend(std::coroutine_handle<> h) {
    waiting_ = h;
    direction_.begin(*this, deadline_);
  }
  Result<void> await_resume() const {
    if (timed_out_) return fail(Code::timeout);
    return {};
  }

 private:
  void ready() override { finish(false); }
  void timed_out() override { finish(true); }
  void finish(bool late) {
    timed_out_ = late;
    direction_.end(*this);
    waiting_.resume();
  }
  Direction& direction_;
  bool already_;
  TimePoint deadline_;
  std::coroutine_handle<> waiting_;
  bool timed_out_ = false;
};

class Stream::Read final : private Waiter {
 public:
  Read(Stream& s, std::span<char> into, TimePoint deadline) : stream_(s), into_(into), deadline_(deadline) {}
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  ~Read() { stream_.reader_.end(*this); }
  bool await_ready() { return stream_.read_ready_ && attempt(); }
  void await_suspend(std::coroutine_handle<> h) {
    waiting_ = h;
    stream_.reader_.begin(*this, deadline_);
  }
  Result<std::size_t> await_resume() const;

 private:
  bool attempt();  // true when there is a result
  void ready() override;
  void timed_out() override;

  Stream& stream_;
  std::span<char> into_;
  TimePoint deadline_;
  std::coroutine_handle<> waiting_;
  Transfer transfer_{Transfer::State::again};
};

class Stream::Write final : private Waiter {
 public:
  static constexpr std::size_t kBuffers = 6;

  Write(Stream& s, std::span<const iovec> from, TimePoint deadline);
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() { stream_.writer_.end(*this); }
  bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> h);
  Result<void> await_resume() const;

 private:
  bool attempt();  // true when all is written or the stream failed
  void ready() override;
  void timed_out() override;

  Stream& stream_;
  std::array<iovec, kBuffers> buffers_;
  std::size_t first_ = 0;
  std::size_t count_;
  std::size_t moved_ = 0;  // octets written so far
  Duration patience_;
  TimePoint deadline_;
  std::coroutine_handle<> waiting_;
  Transfer transfer_{Transfer::State::again};
};

/// What a stream that is layered over another one gets of it: its edges, in the place of its reader, its
/// writer and its hangup listener, for as long as this lives. Whatever is called may destroy it and both
/// streams.
class Stream::Edges : private HangupListener {
 public:
  /// `below` must outlive it, and nobody else may wait on it.
  explicit Edges(Stream& below);
  virtual ~Edges();
  Edges(const Edges&) = delete;
  Edges& operator=(const Edges&) = delete;

  /// After a write that would block: calls on_write_edge, once.
  void want_write_edge();

 private:
  struct OnRead final : Waiter {
    explicit OnRead(Edges& e) : edges(e) {}
    void ready() override { edges.on_read_edge(); }
    void timed_out() override {}
    Edges& edges;
  };
  struct OnWrite final : Waiter {
    explicit OnWrite(Edges& e) : edges(e) {}
    void ready() override;
    void timed_out() override {}
    Edges& edges;
  };
  virtual void on_read_edge() = 0;
  virtual void on_write_edge() = 0;
  void on_hangup() override = 0;

  Stream& below_;
  OnRead reader_{*this};
  OnWrite writer_{*this};
};

inline Stream::Readiness Stream::readable(TimePoint deadline) {
  return Readiness(reader_, read_ready_, deadline);
}
inline Stream::Readiness Stream::next_write_edge(TimePoint deadline) {
  return Readiness(writer_, false, deadline);
}
inline Stream::Read Stream::read_some(std::span<char> into, TimePoint deadline) {
  return Read(*this, into, deadline);
}
inline Stream::Write Stream::write_all(std::span<const iovec> from, TimePoint deadline) {
  return Write(*this, from, deadline);
}
inline Stream::Write Stream::write_all(std::string_view from, TimePoint deadline) {
  const iovec one{const_cast<char*>(from.data()), from.size()};
  return Write(*this, std::span(&one, 1), deadline);
}

}  // namespace stateway::io
