#include "io/loop.h"

#include <algorithm>
#include <utility>

namespace stateway::io {

Loop::~Loop() {
  Mail* mail = mail_.exchange(nullptr, std::memory_order_acquire);
  while (mail != nullptr) delete std::exchange(mail, mail->next_);
}

void Loop::deliver(Mail* mail) {
  Mail* head = mail_.load(std::memory_order_relaxed);
  do {
    mail->next_ = head;
  } while (!mail_.compare_exchange_weak(head, mail, std::memory_order_release, std::memory_order_relaxed));
  if (head == nullptr) wake();  // whoever found it empty wakes; the others ride along
}

bool Loop::read_mail() {
  Mail* newest = mail_.exchange(nullptr, std::memory_order_acquire);
  if (newest == nullptr) return false;
  Mail* oldest = nullptr;
  while (newest != nullptr) {
    Mail* next = std::exchange(newest->next_, oldest);
    oldest = std::exchange(newest, next);
  }
  while (oldest != nullptr) {
    Mail* next = oldest->next_;
    oldest->deliver();
    delete std::exchange(oldest, next);
  }
  return true;
}

void Loop::at_turn_end(const std::shared_ptr<TurnEnd>& task) {
  if (std::ranges::find(turn_ends_, task) == turn_ends_.end()) turn_ends_.push_back(task);
}

void Loop::end_turn() {
  while (!turn_ends_.empty()) {
    const std::shared_ptr<TurnEnd> task = std::move(turn_ends_.back());
    turn_ends_.pop_back();
    task->on_turn_end();
  }
}

void Loop::run() {
  while (!stopped_.load(std::memory_order_acquire)) {
    read_mail();
    timers_.fire(now_);
    end_turn();
    if (stopped_.load(std::memory_order_acquire)) break;
    wait(timers_.next());
  }
  stopped_.store(false, std::memory_order_relaxed);  // it may run again
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  wake();
}

}  // namespace stateway::io
