// Running a function on another thread and getting its value back: on another loop here, on a worker in
// worker.h.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "io/loop.h"

namespace stateway::io {

/// The waiting half, common to both. When the waiting coroutine is destroyed the call goes on and its value
/// is thrown away: destruction and delivery both happen on the caller's loop, so they cannot race.
template <class F>
class [[nodiscard]] RemoteCall {
 public:
  using Value = std::invoke_result_t<F&>;

  struct State {
    State(Loop& caller, F&& function) : home(caller), f(std::move(function)) {}
    Loop& home;
    F f;
    std::optional<Value> value;
    std::coroutine_handle<> waiting;
  };

  RemoteCall(Loop& home, F f) : state_(std::make_shared<State>(home, std::move(f))) {}
  RemoteCall(const RemoteCall&) = delete;
  RemoteCall& operator=(const RemoteCall&) = delete;
  ~RemoteCall() { state_->waiting = nullptr; }

  bool await_ready() const noexcept { return false; }
  Value await_resume() { return std::move(*state_->value); }

 protected:
  std::shared_ptr<State> begin(std::coroutine_handle<> h) {
    state_->waiting = h;
    return state_;
  }
  /// On the other thread.
  static void run_and_answer(std::shared_ptr<State> state) {
    state->value.emplace(state->f());
    Loop& home = state->home;
    home.deliver(new Answer(std::move(state)));
  }

 private:
  struct Answer final : Mail {
    explicit Answer(std::shared_ptr<State> s) : state(std::move(s)) {}
    void deliver() override {
      if (state->waiting) std::exchange(state->waiting, nullptr).resume();
    }
    std::shared_ptr<State> state;
  };
  std::shared_ptr<State> state_;
};

template <class F>
class LoopCall final : public RemoteCall<F> {
 public:
  LoopCall(Loop& home, Loop& there, F f) : RemoteCall<F>(home, std::move(f)), there_(there) {}
  void await_suspend(std::coroutine_handle<> h) {
    auto state = this->begin(h);
    auto job = [state] { RemoteCall<F>::run_and_answer(state); };
    post(there_, std::move(job));
  }

 private:
  Loop& there_;
};

/// Runs `f()` on the loop `there` and resumes the caller on `home`, its own, with the value. `f` must own
/// what it uses. If `there` ends first, the caller waits until it is destroyed.
template <class F>
LoopCall<F> call_on(Loop& home, Loop& there, F f) {
  return LoopCall<F>(home, there, std::move(f));
}

}  // namespace stateway::io
