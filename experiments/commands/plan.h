#pragma once

#include <string>
#include <vector>

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct PlanOptions {
  bool details = false;     ///< of a sweep, every point as a single one is told
  bool json = false;        ///< one JSON object instead of text
  bool every_head = false;  ///< also tokens of every (step, layer, head)
  std::string fits{};       ///< a size, "24GiB": say of every point whether it fits; empty: do not
  std::vector<std::string> maps{};    ///< FILE.svg|png|pdf|csv: tokens by layer and step
  std::vector<std::string> curves{};  ///< likewise: KV bytes after every step, a line per point
};

/// `kvscope plan`: what the points of `kvscope run` with the same arguments would hold and take. Of
/// a single point everything (plan_details.h), of a sweep a table (plan_table.h): settings, hash,
/// state and why, bytes, whether it fits, time by what similar points took. Writes nothing but the
/// figures asked for. Returns the exit code, 1 where a point does not fit. Errors: those of
/// list_points, and kConfig for a size that is none, and for a map of more than one point.
int plan_command(const ConfigArguments& arguments, const PlanOptions& options);

}  // namespace kvscope
