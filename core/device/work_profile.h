#pragma once

#include <ATen/record_function.h>
#include <c10/core/Device.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace kvscope {

/// Kinds of work inside a step of a generation.
enum class WorkKind {
  kLinear,     ///< products with weights
  kAttention,  ///< over the cache, and to text
  kDecision,   ///< of the policy: scores, selection, and what they wait for
  kCopies,     ///< moving tensors: appending and compacting the cache, concatenations, transfers
  kSampling,   ///< from logits to tokens
  kOther,      ///< norms, activations, sums
};
inline constexpr std::array<std::string_view, 6> kWorkKindNames = {
    "linear", "attention", "decision", "copies", "sampling", "other"};

/// Where one step's time went. On a GPU by events in its stream.
struct StepWork {
  double wall_ms = 0;
  std::array<double, kWorkKindNames.size()> kind_ms{};  ///< [WorkKind]

  /// What is left of the wall: the device waits for the host, or the host works between operators.
  [[nodiscard]] double waiting_ms() const;
  StepWork& operator+=(const StepWork& other);
};

/// Marks its life as a step, or as a part of one that is all of one kind, for a WorkProfile and for
/// whoever else listens to LibTorch's record functions. Costs a few nanoseconds where nobody does.
class WorkMark {
 public:
  static constexpr const char* kStep = "kvscope.step";
  static constexpr const char* kDecision = "kvscope.decision";
  static constexpr const char* kSampling = "kvscope.sampling";

  explicit WorkMark(const char* name);

 private:
  at::RecordFunction record_;
};

/// Times every operator that this thread calls inside steps, by kind, while it lives. Only the
/// outermost operators count: what they call themselves is part of them. Measuring slows a step
/// down by a few microseconds per operator, and on a GPU waits once per step. One at a time per
/// thread.
class WorkProfile {
 public:
  explicit WorkProfile(c10::Device device);
  ~WorkProfile();
  WorkProfile(const WorkProfile&) = delete;
  WorkProfile& operator=(const WorkProfile&) = delete;

  /// [steps] those that have ended, in their order.
  [[nodiscard]] const std::vector<StepWork>& steps() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  at::CallbackHandle handle_ = 0;
};

/// The kind of an operator ("aten::linear") outside of marks.
WorkKind work_kind(std::string_view op);

}  // namespace kvscope
