#pragma once

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>

namespace kvscope {

/// While it lives nothing of this thread is recorded for a backward pass, and calls go past the
/// layers of the dispatcher that would record it: small tensors otherwise spend more time there
/// than in their kernels. What is made meanwhile are ordinary tensors, unlike c10::InferenceMode's,
/// so whoever gets them may change or train on them.
class InferenceGuard {
 public:
  InferenceGuard() = default;
  InferenceGuard(const InferenceGuard&) = delete;
  InferenceGuard& operator=(const InferenceGuard&) = delete;

 private:
  at::NoGradGuard no_grad_;
  at::AutoDispatchBelowADInplaceOrView below_;
};

}  // namespace kvscope
