#pragma once

#include <vector>

namespace kvscope {

/// Clocks of one step, in milliseconds.
struct StepTimes {
  double step_ms = 0;
  double attention_ms = 0;  ///< part of step_ms in attention kernels
  double policy_ms = 0;     ///< part of step_ms deciding and compacting
};

/// Of all steps of a batch together, in milliseconds.
struct GenerationTimes {
  std::vector<double>
      step_ms{};            ///< [steps]; 0 for a last token, which the step before has sampled
  double attention_ms = 0;  ///< part of the steps in attention kernels
  double policy_ms = 0;     ///< part of the steps deciding and compacting
};

}  // namespace kvscope
