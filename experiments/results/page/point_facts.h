#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "experiments/results/summary.h"

namespace kvscope {

/// Facts by their names, as text.
using Facts = std::map<std::string, std::string, std::less<>>;

/// What all of several maps say alike, and what each says besides.
struct SharedFacts {
  Facts shared{};
  std::vector<Facts> own{};
};
SharedFacts shared_and_own(std::vector<Facts> all);

/// A JSON object with dotted names: {"sha256": {"model": "ab"}} -> {"sha256.model", "ab"}. Nothing
/// of a text that is none.
Facts facts_of_json(const std::string& json);

/// The manifest of a point: as its result file has it, and what manifest.json beside it says
/// besides or later.
Facts manifest_of(const PointSummary& point);

/// The command that makes the point again, and goes on with it where it is there: its overrides,
/// and of the command line in its manifest where configurations and plug-ins are.
std::string command_of(const PointInfo& point, const Facts& manifest);

}  // namespace kvscope
