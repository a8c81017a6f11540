#include "io/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stateway::io {
namespace {

std::unexpected<Error> failure(const Transfer& t) {
  if (t.state == Transfer::State::again) return fail(Code::timeout);
  return fail(Code::io, Side::self, std::strerror(t.error_number));
}

}  // namespace

void Stream::notify_readable() {
  read_ready_ = true;
  if (reader_.waiter != nullptr) reader_.waiter->ready();
}

void Stream::notify_writable() {
  if (writer_.waiter != nullptr) writer_.waiter->ready();
}

void Stream::notify_hangup() {
  hung_up_ = true;
  if (hangup_listener_ != nullptr) std::exchange(hangup_listener_, nullptr)->on_hangup();
}

bool Stream::Read::attempt() {
  transfer_ = stream_.try_read(into_);
  return transfer_.state != Transfer::State::again;
}

void Stream::Read::ready() {
  if (!attempt()) return;
  stream_.reader_.end(*this);
  waiting_.resume();
}

void Stream::Read::timed_out() {
  stream_.reader_.end(*this);
  waiting_.resume();
}

Result<std::size_t> Stream::Read::await_resume() const {
  switch (transfer_.state) {
    case Transfer::State::ok:
      return transfer_.bytes;
    case Transfer::State::end:
      return 0;
    case Transfer::State::again:
    case Transfer::State::failed:
      break;
  }
  return failure(transfer_);
}

Stream::Write::Write(Stream& s, std::span<const iovec> from, TimePoint deadline)
    : stream_(s),
      count_(0),
      patience_(deadline == kNoDeadline ? Duration::max() : deadline - s.loop_.now()),
      deadline_(deadline) {
  CHECK(from.size() <= kBuffers);
  for (const iovec& v : from)
    if (v.iov_len > 0) buffers_[count_++] = v;
}

void Stream::Write::await_suspend(std::coroutine_handle<> h) {
  waiting_ = h;
  stream_.writer_.begin(*this, deadline_);
  stream_.want_write();
}

bool Stream::Write::attempt() {
  while (first_ < count_) {
    transfer_ = stream_.try_write(std::span(buffers_).subspan(first_, count_ - first_));
    if (transfer_.state != Transfer::State::ok) return transfer_.state == Transfer::State::failed;
    moved_ += transfer_.bytes;
    std::size_t written = transfer_.bytes;
    while (first_ < count_ && written >= buffers_[first_].iov_len) written -= buffers_[first_++].iov_len;
    if (first_ < count_) {
      iovec& v = buffers_[first_];
      v.iov_base = static_cast<char*>(v.iov_base) + written;
      v.iov_len -= written;
    }
  }
  transfer_.state = Transfer::State::ok;
  return true;
}

void Stream::Write::ready() {
  const std::size_t moved_before = moved_;
  if (!attempt()) {
    if (moved_ > moved_before && deadline_ != kNoDeadline)
      stream_.writer_.arm(stream_.loop_.now() + patience_);
    stream_.want_write();
    return;
  }
  stream_.writer_.end(*this);
  waiting_.resume();
}

void Stream::Write::timed_out() {
  stream_.writer_.end(*this);
  waiting_.resume();
}

Result<void> Stream::Write::await_resume() const {
  if (transfer_.state == Transfer::State::ok) return {};
  std::unexpected<Error> failed = failure(transfer_);
  if (moved_ == 0) failed.error().retry = Retry::always;
  return failed;
}

Stream::Edges::Edges(Stream& below) : below_(below) {
  below_.reader_.begin(reader_, kNoDeadline);
  below_.set_hangup_listener(this);
}

Stream::Edges::~Edges() {
  below_.set_hangup_listener(nullptr);
  below_.writer_.end(writer_);
  below_.reader_.end(reader_);
}

void Stream::Edges::want_write_edge() {
  if (below_.writer_.waiter == nullptr) below_.writer_.begin(writer_, kNoDeadline);
  below_.want_write();
}

void Stream::Edges::OnWrite::ready() {
  edges.below_.writer_.end(*this);
  edges.on_write_edge();
}

}  // namespace stateway::io
