#pragma once

#include <string>
#include <vector>

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct PlanOptions {
  bool every_head = false;  ///< also tokens of every (step, layer, head)
  std::string fits{};       ///< a size, "24GiB": say of every point whether it fits; empty: do not
  std::vector<std::string> maps{};    ///< FILE.svg|png|pdf|csv: tokens by layer and step
  std::vector<std::string> curves{};  ///< likewise: KV bytes after every step, a line per point
};

/// `kvscope plan`: what the points of `kvscope run` with the same arguments would hold: tokens per
/// step, KV bytes going into the last step and arena bytes, of gen.batch images, and with weights
/// and activations. Exact bytes stand beside MiB of the cache. Reads no weights and writes
/// nothing but the figures asked for. Returns the exit code, 1 where a point does not fit. Errors:
/// those of list_points, and kConfig for a size that is none, and for a map of more than one point.
int plan_command(const ConfigArguments& arguments, const PlanOptions& options);

}  // namespace kvscope
