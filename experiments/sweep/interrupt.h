#pragma once

#include <atomic>
#include <csignal>

namespace kvscope {

/// While it lives, the first Ctrl-C (or SIGTERM) only asks to stop; a second one ends the program
/// at once, as it would without us. SIGUSR1, by which schedulers announce a time limit, asks too.
class InterruptGuard {
 public:
  /// `first_signal`, a literal, is said at the first one: what is finished before the end, and what
  /// a second one does.
  explicit InterruptGuard(const char* first_signal);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  [[nodiscard]] bool requested() const { return flag(); }
  /// Whether SIGUSR1 asked.
  [[nodiscard]] bool is_near_time_limit() const;
  /// Set from the first signal on.
  [[nodiscard]] const std::atomic<bool>& flag() const;

 private:
  struct sigaction before_interrupt_ {};
  struct sigaction before_terminate_ {};
  struct sigaction before_time_limit_ {};
};

}  // namespace kvscope
