#pragma once

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct WhyOptions {
  bool json = false;
};

/// `kvscope why`: why points are new, or that they are reused: the point of the results folder that
/// differs least from each, and in what. `why HASH DIR` of a point that the folder has, HASH its
/// beginning; `why [HASH] OVERRIDES` of the points of a command line as `plan` takes it;
/// the words are arguments.overrides. Writes nothing. Returns the exit code. Throws
/// Error(kConfig) where no or several points begin like that, and those of list_points().
int why_command(ConfigArguments arguments, const WhyOptions& options);

}  // namespace kvscope
