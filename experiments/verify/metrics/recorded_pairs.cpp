#include "experiments/verify/metrics/recorded_pairs.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "analysis/networks/image_input.h"

namespace kvscope::verify {

at::Tensor recorded(GoldenFile& file, const std::string& name) {
  return file.tensor(name, file.shape(name));
}

Image recorded_picture(GoldenFile& file, const std::string& name) {
  const at::Tensor bytes = recorded(file, name);
  if (bytes.scalar_type() != at::kByte || bytes.dim() != 3 || bytes.size(2) != 3) {
    file.fail(fmt::format("tensor '{}' must be bytes [height, width, 3]", name));
  }
  return image_of_tensor(bytes);
}

std::vector<RecordedPair> recorded_pairs(GoldenFile& file) {
  constexpr int64_t kMostPairs = 1000;
  std::vector<RecordedPair> pairs;
  for (int64_t i = 0; i < kMostPairs; ++i) {
    const std::string name = fmt::format("pair.{}", i);
    if (!file.has(name + ".a") || !file.has(name + ".b")) continue;
    pairs.push_back({i, recorded_picture(file, name + ".a"), recorded_picture(file, name + ".b")});
  }
  return pairs;
}

void compare_pairs(GoldenFile& file,
                   const std::vector<RecordedPair>& pairs,
                   const std::string& name,
                   const std::function<double(const RecordedPair&)>& value,
                   GroupCheck& check) {
  const at::Tensor all = recorded(file, name).to(at::kDouble);
  std::vector<double> computed;
  std::vector<double> expected;
  for (const RecordedPair& pair : pairs) {
    if (all.dim() != 1 || pair.place >= all.size(0)) {
      file.fail(fmt::format("tensor '{}' has no value of pair {}", name, pair.place));
    }
    const double is = all[pair.place].item<double>();
    if (std::isnan(is)) continue;
    expected.push_back(is);
    computed.push_back(value(pair));
  }
  check.compare(at::tensor(computed, at::kDouble), at::tensor(expected, at::kDouble), name);
}

}  // namespace kvscope::verify
