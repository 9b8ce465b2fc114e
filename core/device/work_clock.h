#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <deque>
#include <optional>

namespace kvscope {

/// Waits until everything enqueued on `device` so far is done. Nothing on a CPU. A device that has
/// failed is not waited for: its next call reports it where it can be thrown.
void wait_for_device(c10::Device device) noexcept;

/// Sums the time of scopes of work on one device. On a CPU that is the time on the wall. Calls to
/// an accelerator only enqueue work, so there a scope is timed by events in the device's current
/// stream, which are read when the total is asked for: nobody waits inside a step. Such a scope
/// counts what the device works on, and its waiting for what the host decides meanwhile.
class WorkClock {
 public:
  /// Times its own life. Does not outlive its clock.
  class Scope {
   public:
    Scope(WorkClock& clock, c10::Device device);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    WorkClock& clock_;
    std::optional<c10::Event> begin_;  // of an accelerator
    std::chrono::steady_clock::time_point start_;
    c10::Device device_;
  };

  [[nodiscard]] Scope measure(c10::Device device) { return Scope(*this, device); }

  /// Of all scopes that have ended; waits for the last of them.
  [[nodiscard]] double total_ms();

 private:
  struct Span {
    c10::Event begin;
    c10::Event end;
  };
  void read(size_t spans);

  double total_ms_ = 0;
  std::deque<Span> unread_;
};

}  // namespace kvscope
