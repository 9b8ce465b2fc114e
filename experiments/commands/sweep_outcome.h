#pragma once

#include "experiments/sweep/runner.h"

namespace kvscope {

/// Says on standard error how a sweep ended: what failed, that nothing was left to make, or how an
/// interrupted one goes on. Returns the exit code: 0; 1 where points failed; 130 where interrupted.
int say_outcome(const SweepOutcome& outcome, const Sweep& sweep);

}  // namespace kvscope
