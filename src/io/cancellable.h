// Ending a child task from outside while its parent goes on: `co_await cancellable(child, scope)`.
#pragma once

#include <coroutine>
#include <utility>

#include "base/error.h"
#include "io/task.h"

namespace stateway::io {

/// The handle by which somebody else gives up on the child. Holds at most one child at a time.
class CancelScope {
 public:
  virtual ~CancelScope() = default;
  /// Destroys the child and resumes the parent with Code::cancelled, on the caller's stack. Nothing happens
  /// when no child runs. Must not be called from inside the child.
  void cancel() {
    if (running_ != nullptr) running_->give_up();
  }
  bool active() const { return running_ != nullptr; }

 private:
  template <class T>
  friend class Cancellable;
  struct Running {
    virtual void give_up() = 0;

   protected:
    ~Running() = default;
  };
  Running* running_ = nullptr;
};

template <class T>
class [[nodiscard]] Cancellable final : private CancelScope::Running {
 public:
  Cancellable(Task<Result<T>> child, CancelScope& scope) : child_(std::move(child)), scope_(scope) {}
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
  ~Cancellable() {
    if (scope_.running_ == this) scope_.running_ = nullptr;
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
    CHECK(scope_.running_ == nullptr);
    scope_.running_ = this;
    parent_ = parent;
    return child_.await_suspend(parent);
  }
  Result<T> await_resume() {
    scope_.running_ = nullptr;
    if (cancelled_) return fail(Code::cancelled, Side::client);
    return child_.await_resume();
  }

 private:
  void give_up() override {
    scope_.running_ = nullptr;
    cancelled_ = true;
    child_.reset();
    parent_.resume();
  }

  Task<Result<T>> child_;
  CancelScope& scope_;
  std::coroutine_handle<> parent_;
  bool cancelled_ = false;
};

template <class T>
Cancellable<T> cancellable(Task<Result<T>> child, CancelScope& scope) {
  return Cancellable<T>(std::move(child), scope);
}

}  // namespace stateway::io
