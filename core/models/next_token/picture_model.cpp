#include "core/models/next_token/picture_model.h"

#include <ATen/ATen.h>

#include <chrono>

#include "core/base/clock.h"
#include "core/device/inference_guard.h"
#include "core/device/work_clock.h"
#include "core/models/packed_tokens.h"
#include "core/models/shared/guidance.h"
#include "core/models/vq/vq_decoder.h"

namespace kvscope::next_token {

PictureModel::PictureModel(const ModelDescription& description,
                           int64_t condition_tokens,
                           PixelRounding rounding)
    : geometry_(description.cache(condition_tokens)),
      vq_(description.vq),
      grid_height_(description.grid_height),
      grid_width_(description.grid_width),
      rounding_(rounding) {}

int64_t PictureModel::rows(int64_t images, const SamplingOptions& options) const {
  return cache_rows(images, options.cfg);
}

GeneratedBatch PictureModel::generate(std::span<const std::string> prompts,
                                      const SamplingOptions& options,
                                      std::span<at::Generator> generators,
                                      AttentionContext& context) {
  const InferenceGuard inference;
  GeneratedBatch batch;
  auto start = std::chrono::steady_clock::now();
  const Condition prefill = condition(prompts, guided(options.cfg));
  const at::Device device = prefill.embeddings.device();
  wait_for_device(device);
  batch.text_ms = milliseconds_since(start);
  const GenerateOptions settings{.cfg = options.cfg,
                                 .tau = options.tau,
                                 .cfg_interval = cfg_interval_,
                                 .top_k = options.top_k,
                                 .top_p = options.top_p,
                                 .forced_tokens = {}};
  const Generation generation =
      next_token::generate(model_, prefill, settings, generators, context);
  wait_for_device(device);
  start = std::chrono::steady_clock::now();
  const at::Tensor grid = generation.tokens.view({-1, grid_height_, grid_width_});
  batch.pictures = to_pictures(vq_decode(vq_, picture_, grid, ""), rounding_);
  batch.decode_ms = milliseconds_since(start);
  batch.times = generation.times;
  for (int64_t image = 0; image < generation.tokens.size(0); ++image) {
    batch.tokens.push_back(pack_token_ids(generation.tokens, image));
  }
  return batch;
}

}  // namespace kvscope::next_token
