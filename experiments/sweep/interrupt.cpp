#include "experiments/sweep/interrupt.h"

#include <unistd.h>

#include <cstring>

namespace kvscope {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> stop_requested = false;
std::atomic<bool> time_limit_near = false;
std::atomic<const char*> first_words = nullptr;
std::atomic<pid_t> speaker = 0;  // children get the terminal's signal too, and are silent
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<const char*>::is_always_lock_free);

void say_now(const char* text) {
  static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
}

void request_stop(int signal) {
  stop_requested = true;
  if (signal == SIGUSR1) {
    time_limit_near = true;
    return;
  }
  if (getpid() != speaker) return;
  if (isatty(STDERR_FILENO) == 1) say_now("\n");  // progress stands on the line
  say_now(first_words);
  say_now("\n");
}

}  // namespace

InterruptGuard::InterruptGuard(const char* first_signal) {
  stop_requested = false;
  time_limit_near = false;
  first_words = first_signal;
  speaker = getpid();
  struct sigaction action {};
  action.sa_handler = request_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_interrupt_);
  sigaction(SIGTERM, &action, &before_terminate_);
  action.sa_flags = static_cast<int>(SA_RESTART);  // said twice, it means no more
  sigaction(SIGUSR1, &action, &before_time_limit_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before_interrupt_, nullptr);
  sigaction(SIGTERM, &before_terminate_, nullptr);
  sigaction(SIGUSR1, &before_time_limit_, nullptr);
}

bool InterruptGuard::is_near_time_limit() const {
  return time_limit_near;
}

const std::atomic<bool>& InterruptGuard::flag() const {
  return stop_requested;
}

}  // namespace kvscope
