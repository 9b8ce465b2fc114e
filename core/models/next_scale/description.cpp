#include "core/models/next_scale/description.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/model_keys.h"

namespace kvscope {
namespace {

constexpr int64_t kLongestSide = 4096;  // tokens
constexpr size_t kMostScales = 256;

}  // namespace

bool read_schedule(Options& options, ScaleSchedule& schedule) {
  const ConfigNode* scales = options.value({.key = "picture.schedule",
                                            .accepts = "list of [height, width]",
                                            .help = "every scale in tokens, coarsest first; null: "
                                                    "the published one"});
  if (scales == nullptr || scales->is_null()) return false;
  schedule.clear();
  for (const ConfigNode& scale : scales->items()) {
    const std::vector<int64_t> sides = scale.as_int64_list();
    if (sides.size() != 2 || sides[0] < 1 || sides[1] < 1 || sides[0] > kLongestSide ||
        sides[1] > kLongestSide) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: every scale of model.picture.schedule is [height, width], "
                              "each 1..{} tokens",
                              scale.origin().text(), kLongestSide));
    }
    schedule.emplace_back(sides[0], sides[1]);
  }
  return true;
}

void check_schedule(const ScaleSchedule& schedule) {
  if (!schedule.empty() && schedule.size() <= kMostScales) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("model.picture.schedule has {} scales; expected 1..{}, such as [[1, "
                          "1], [2, 2], ...]",
                          schedule.size(), kMostScales));
}

std::pair<at::ScalarType, at::ScalarType> next_scale_cache_types(const std::string& precision) {
  if (precision == "fp32") return {at::kFloat, at::kFloat};
  if (precision == "compact" || precision == kCompactWeights) return {at::kBFloat16, at::kBFloat16};
  if (precision == "reference") return {at::kFloat, at::kBFloat16};
  throw Error(ErrorKind::kConfig,
              "unknown model.precision '" + precision + "'. " +
                  suggestion(precision, {"fp32", "compact", kCompactWeights, "reference"}));
}

StoredType next_scale_stored_type(const std::string& precision) {
  const bool is_compact = precision == kCompactWeights;
  return [is_compact](const std::string& name, at::IntArrayRef shape) {
    const bool is_matrix_of_block = name.starts_with("block") && shape.size() == 2;
    return is_compact && is_matrix_of_block ? at::kBFloat16 : at::kFloat;
  };
}

at::ScalarType next_scale_image_type(const std::string& precision) {
  return precision == kCompactWeights ? at::kBFloat16 : at::kFloat;
}

}  // namespace kvscope
