#include "experiments/commands/sweep_outcome.h"

#include <cstdio>
#include <string>

#include "core/base/console.h"

namespace kvscope {

int say_outcome(const SweepOutcome& outcome, const Sweep& sweep) {
  if (outcome.interrupted) {
    say("interrupted; {} images made and kept. The same command goes on:\n  {}",
        outcome.images_made, sweep.command_line);
    constexpr int kInterrupted = 130;
    return kInterrupted;
  }
  if (outcome.images_made == 0 && outcome.failures.empty() && outcome.points_elsewhere == 0) {
    say("all {} points are done already; nothing to make", sweep.list.points.size());
  }
  for (const std::string& failure : outcome.failures) {
    say("failed: {}", failure);
  }
  std::fflush(stderr);
  return outcome.failures.empty() ? 0 : 1;
}

}  // namespace kvscope
