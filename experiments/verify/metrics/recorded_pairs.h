#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/image.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/group_check.h"

namespace kvscope::verify {

/// The tensor of a file, in the shape that it has there.
at::Tensor recorded(GoldenFile& file, const std::string& name);
/// A picture of a file, u8 [height, width, 3].
Image recorded_picture(GoldenFile& file, const std::string& name);

/// Two pictures that values were recorded of, with their place among these.
struct RecordedPair {
  int64_t place = 0;
  Image a;
  Image b;
};

/// The pairs "pair.N.a" and "pair.N.b" that the file holds.
std::vector<RecordedPair> recorded_pairs(GoldenFile& file);

/// Compares `value` of every pair with its place in the tensor `name` [pairs]; a place that is NaN
/// there is left out.
void compare_pairs(GoldenFile& file,
                   const std::vector<RecordedPair>& pairs,
                   const std::string& name,
                   const std::function<double(const RecordedPair&)>& value,
                   GroupCheck& check);

}  // namespace kvscope::verify
