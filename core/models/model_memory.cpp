#include "core/models/model_memory.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/models/image_model.h"

namespace kvscope {

WeightPart weight_part(std::string name,
                       const std::vector<WeightSpec>& specs,
                       at::ScalarType type) {
  return weight_part(std::move(name), specs, [=](const WeightSpec&) { return type; });
}

WeightPart weight_part(std::string name,
                       const std::vector<WeightSpec>& specs,
                       const std::function<at::ScalarType(const WeightSpec&)>& type_of) {
  WeightPart part{.name = std::move(name), .parameters = parameter_count(specs)};
  std::map<at::ScalarType, int64_t> parameters;
  for (const WeightSpec& spec : specs) {
    const at::ScalarType type = type_of(spec);
    const int64_t count = parameter_count({spec});
    parameters[type] += count;
    part.bytes += count * static_cast<int64_t>(c10::elementSize(type));
  }
  for (const auto& [type, count] : parameters) {
    if (count > parameters[part.type]) part.type = type;
  }
  return part;
}

int64_t ModelMemory::weight_bytes() const {
  int64_t bytes = 0;
  for (const WeightPart& part : weights) bytes += part.bytes;
  return bytes;
}

int64_t ModelMemory::activation_bytes() const {
  int64_t bytes = 0;
  for (const PhaseMemory& phase : activations) bytes = std::max(bytes, phase.bytes);
  return bytes;
}

int64_t sampling_elements(int64_t logits) {
  return 7 * logits;
}

int64_t image_bytes(int64_t images, int64_t pixels) {
  constexpr int64_t kChannels = 3;
  constexpr int64_t kAtOnce = 5;  // decoded, clamped, shifted, halved, scaled
  return kAtOnce * images * pixels * kChannels * static_cast<int64_t>(sizeof(float));
}

PhaseMemory image_phase(int64_t images, int64_t pixels, int64_t decoder_elements) {
  const int64_t decoded = 3 * images * pixels;
  const int64_t decoding_bytes = (decoded + decoder_elements) * static_cast<int64_t>(sizeof(float));
  return {"image", std::max(decoding_bytes, image_bytes(images, pixels))};
}

}  // namespace kvscope
