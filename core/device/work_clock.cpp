#include "core/device/work_clock.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <exception>
#include <utility>

#include "core/base/clock.h"

namespace kvscope {
namespace {

// Pairs of events that wait to be read. Beyond them the older half is read, which is done by then
// and costs no wait worth counting.
constexpr size_t kMostUnread = 1024;

c10::Event recorded_event(c10::Device device) {
  // PYTORCH_DEFAULT would be an event without a time.
  c10::Event event(device.type(), c10::EventFlag::BACKEND_DEFAULT);
  event.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  return event;
}

}  // namespace

void wait_for_device(c10::Device device) noexcept {
  if (device.is_cpu()) return;
  try {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  } catch (const std::exception&) {
    // A failed kernel is sticky: the next call reports it.
  }
}

WorkClock::Scope::Scope(WorkClock& clock, c10::Device device) : clock_(clock), device_(device) {
  if (device.is_cpu()) {
    start_ = std::chrono::steady_clock::now();
  } else {
    begin_.emplace(recorded_event(device));
  }
}

WorkClock::Scope::~Scope() {
  if (!begin_) {
    clock_.total_ms_ += milliseconds_since(start_);
    return;
  }
  try {
    clock_.unread_.push_back({std::move(*begin_), recorded_event(device_)});
    if (clock_.unread_.size() > kMostUnread) clock_.read(kMostUnread / 2);
  } catch (const std::exception&) {
    // A failed kernel is sticky: the next call reports it where it can be thrown.
  }
}

void WorkClock::read(size_t spans) {
  for (; spans > 0; --spans) {
    const Span& span = unread_.front();
    span.end.synchronize();
    total_ms_ += span.begin.elapsedTime(span.end);
    unread_.pop_front();
  }
}

double WorkClock::total_ms() {
  read(unread_.size());
  return total_ms_;
}

}  // namespace kvscope
