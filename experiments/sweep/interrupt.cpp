#include "experiments/sweep/interrupt.h"

#include <unistd.h>

#include <cstring>

namespace kvscope {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> stop_requested = false;
std::atomic<const char*> first_words = nullptr;
std::atomic<pid_t> speaker = 0;  // children get the terminal's signal too, and are silent
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<const char*>::is_always_lock_free);

void say_now(const char* text) {
  static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
}

void request_stop(int) {
  stop_requested = true;
  if (getpid() != speaker) return;
  if (isatty(STDERR_FILENO) == 1) say_now("\n");  // progress stands on the line
  say_now(first_words);
  say_now("\n");
}

}  // namespace

InterruptGuard::InterruptGuard(const char* first_signal) {
  stop_requested = false;
  first_words = first_signal;
  speaker = getpid();
  struct sigaction action {};
  action.sa_handler = request_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_interrupt_);
  sigaction(SIGTERM, &action, &before_terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before_interrupt_, nullptr);
  sigaction(SIGTERM, &before_terminate_, nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const {
  return stop_requested;
}

}  // namespace kvscope
