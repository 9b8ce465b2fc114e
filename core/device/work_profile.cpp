#include "core/device/work_profile.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/base/clock.h"

namespace kvscope {
namespace {

constexpr std::string_view kLinearOps[] = {
    "aten::linear", "aten::matmul", "aten::mm",
    "aten::bmm",    "aten::addmm",  "aten::baddbmm",
    "aten::addmv",  "aten::mv",     "aten::dot",
    "aten::conv2d", "aten::conv1d", "aten::convolution",
    "aten::einsum", "aten::addbmm", "aten::_addmm_activation"};
constexpr std::string_view kAttentionOps[] = {"kvscope::ragged_attention",
                                              "aten::scaled_dot_product_attention"};
constexpr std::string_view kCopyOps[] = {"kvscope::append_rows", "kvscope::compact_rows",
                                         "kvscope::quantise",    "kvscope::dequantise",
                                         "aten::copy_",          "aten::to",
                                         "aten::_to_copy",       "aten::contiguous",
                                         "aten::clone",          "aten::cat",
                                         "aten::stack",          "aten::repeat",
                                         "aten::index_copy_",    "aten::cpu",
                                         "aten::item",           "aten::reshape"};

/// A moment in the device's stream, or on the clock.
struct Moment {
  std::optional<c10::Event> event{};
  std::chrono::steady_clock::time_point time{};
};

Moment moment_on(c10::Device device) {
  Moment moment;
  if (device.is_cpu()) {
    moment.time = std::chrono::steady_clock::now();
    return moment;
  }
  moment.event.emplace(device.type(), c10::EventFlag::BACKEND_DEFAULT);
  moment.event->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  return moment;
}

/// Both have passed.
double milliseconds_between(const Moment& begin, const Moment& end) {
  if (begin.event) return begin.event->elapsedTime(*end.event);
  return std::chrono::duration<double, std::milli>(end.time - begin.time).count();
}

}  // namespace

WorkKind work_kind(std::string_view op) {
  const auto is_one_of = [&](const auto& ops) {
    return std::ranges::find(ops, op) != std::ranges::end(ops);
  };
  if (is_one_of(kLinearOps)) return WorkKind::kLinear;
  if (is_one_of(kAttentionOps)) return WorkKind::kAttention;
  if (is_one_of(kCopyOps)) return WorkKind::kCopies;
  return WorkKind::kOther;
}

double StepWork::waiting_ms() const {
  return std::max(0.0, wall_ms - std::accumulate(kind_ms.begin(), kind_ms.end(), 0.0));
}

StepWork& StepWork::operator+=(const StepWork& other) {
  wall_ms += other.wall_ms;
  for (size_t i = 0; i < kind_ms.size(); ++i) kind_ms[i] += other.kind_ms[i];
  return *this;
}

WorkMark::WorkMark(const char* name) : record_(at::RecordScope::USER_SCOPE) {
  if (record_.isActive()) record_.before(name);
}

/// LibTorch's callbacks are plain functions: what they work on is the thread's.
struct WorkProfile::State {
  struct Work {
    WorkKind kind;
    Moment begin;
    Moment end{};
  };
  /// What the callback at the end of an operator or a mark has to undo.
  struct Open : at::ObserverContext {
    bool is_step = false;
    bool is_operator = false;
    std::optional<WorkKind> mark_before{};
  };

  explicit State(c10::Device measured) : device(measured) {}

  std::unique_ptr<Open> begin(const at::RecordFunction& function) {
    auto open = std::make_unique<Open>();
    open->mark_before = mark;
    const std::string_view name = function.name();
    if (function.scope() != at::RecordScope::USER_SCOPE) {
      open->is_operator = true;
      if (depth++ == 0 && in_step) {
        // The cache's own kernels are copies, whoever asked for them.
        const WorkKind kind = work_kind(name);
        const bool moves_cache = kind == WorkKind::kCopies && name.starts_with("kvscope::");
        work.push_back({mark && !moves_cache ? *mark : kind, moment_on(device)});
      }
    } else if (name == WorkMark::kStep) {
      open->is_step = true;
      in_step = true;
      step_begin = moment_on(device);
    } else if (name == WorkMark::kDecision) {
      mark = WorkKind::kDecision;
    } else if (name == WorkMark::kSampling) {
      mark = WorkKind::kSampling;
    }
    return open;
  }

  void end(const Open& open) {
    if (open.is_operator) {
      if (--depth == 0 && in_step) work.back().end = moment_on(device);
      return;
    }
    mark = open.mark_before;
    if (open.is_step) end_step();
  }

  void end_step() {
    const Moment step_end = moment_on(device);
    if (step_end.event) step_end.event->synchronize();
    StepWork step{.wall_ms = milliseconds_between(step_begin, step_end)};
    for (const Work& done : work) {
      step.kind_ms[static_cast<size_t>(done.kind)] += milliseconds_between(done.begin, done.end);
    }
    steps.push_back(step);
    work.clear();
    in_step = false;
  }

  c10::Device device;
  std::vector<StepWork> steps{};
  std::vector<Work> work{};  // of the step at work
  Moment step_begin{};
  bool in_step = false;
  int depth = 0;
  std::optional<WorkKind> mark{};

  static thread_local State* current;
  static std::unique_ptr<at::ObserverContext> began(const at::RecordFunction& function) {
    return current->begin(function);
  }
  static void ended(const at::RecordFunction& /*function*/, at::ObserverContext* context) {
    if (context != nullptr) current->end(*static_cast<Open*>(context));
  }
};

thread_local WorkProfile::State* WorkProfile::State::current = nullptr;

WorkProfile::WorkProfile(c10::Device device) : state_(std::make_unique<State>(device)) {
  if (State::current != nullptr) throw std::logic_error("two work profiles in one thread");
  State::current = state_.get();
  handle_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(&State::began, &State::ended)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::USER_SCOPE}));
}

WorkProfile::~WorkProfile() {
  at::removeCallback(handle_);
  State::current = nullptr;
}

const std::vector<StepWork>& WorkProfile::steps() const {
  return state_->steps;
}

}  // namespace kvscope
