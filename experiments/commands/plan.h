#pragma once

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct PlanOptions {
  bool every_head = false;  ///< also tokens of every (step, layer, head)
};

/// `kvscope plan`: what the points of `kvscope run` with the same arguments would hold: tokens a
/// step, KV bytes going into the last step and arena bytes, of gen.batch images. Exact bytes
/// stand beside MiB. Reads no weights and writes
/// nothing. Returns the exit code. Errors: those of list_points.
int plan_command(const ConfigArguments& arguments, const PlanOptions& options);

}  // namespace kvscope
