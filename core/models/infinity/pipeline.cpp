#include "core/models/infinity/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <memory>
#include <optional>

#include "core/base/clock.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/device/inference_guard.h"
#include "core/device/work_clock.h"
#include "core/models/caption_encoder.h"
#include "core/models/infinity/generate.h"
#include "core/models/infinity/vae.h"
#include "core/models/model_family.h"
#include "core/models/model_files.h"
#include "core/models/next_scale/description.h"
#include "core/models/packed_tokens.h"
#include "core/models/shared/guidance.h"

namespace kvscope {
namespace infinity {
namespace {

// Block parameters as the reference runs them: rounded to bf16, computed wider where bf16 is slow.
void round_blocks_to_bf16(TensorMap& tensors) {
  for (const std::string& name : tensors.names()) {
    if (name.starts_with("block")) {
      tensors.set(name, tensors.at(name).to(at::kBFloat16).to(at::kFloat));
    }
  }
}

class InfinityModel : public ImageModel {
 public:
  InfinityModel(ModelDescription description, const std::string& root, at::Device device)
      : description_(std::move(description)),
        geometry_(description_geometry(description_)),
        device_(device) {
    if (description_.weights == "random") {
      make_random();
    } else {
      load(root);
    }
  }

  [[nodiscard]] const CacheGeometry& geometry() const override { return geometry_; }

  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override {
    return cache_rows(images, options.cfg);
  }

  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override {
    const InferenceGuard inference;
    GeneratedBatch batch;
    auto start = std::chrono::steady_clock::now();
    const CaptionFeatures captions = captions_->encode(prompts);
    const TextFeatures text{captions.features, captions.lengths};
    wait_for_device(device_);
    batch.text_ms = milliseconds_since(start);
    const GenerateOptions settings{.cfg = options.cfg,
                                   .tau = options.tau,
                                   .top_k = options.top_k,
                                   .top_p = options.top_p,
                                   .forced_bits = {}};
    const Generation generation =
        infinity::generate(description_.transformer, weights_, description_.image, text, settings,
                           generators, context);
    wait_for_device(device_);
    start = std::chrono::steady_clock::now();
    batch.images =
        to_images(vae_decode_one_by_one(description_.vae, vae_, generation.summed_codes));
    batch.decode_ms = milliseconds_since(start);
    batch.times = generation.times;
    for (size_t image = 0; image < prompts.size(); ++image) {
      batch.tokens.push_back(pack_token_bits(generation.token_bits, static_cast<int64_t>(image)));
    }
    return batch;
  }

 private:
  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    tensors_ = converted(random_transformer(description_.transformer, generator), device_,
                         next_scale_stored_type(description_.precision));
    weights_ = resolve_transformer(description_.transformer, tensors_);
    vae_ = converted(random_vae(vae_decoder_tensors(description_.vae), generator), device_,
                     next_scale_image_type(description_.precision));
    captions_.emplace(description_.transformer.text_channels,
                      description_.transformer.text_max_tokens, device_);
  }

  void load(const std::string& root) {
    const ModelFiles files(root, description_.name);
    const std::vector<WeightSpec> specs = description_tensors(description_);
    const TensorMap main = files.main(description_.weights, specs);
    // Checked before widening, so that a wrong file costs no memory; what published files carry
    // beside these tensors stays in the file.
    const TensorMap transformer =
        published_transformer_tensors(description_.transformer, part_tensors(main, "model."));
    tensors_ = converted(transformer, device_, next_scale_stored_type(description_.precision));
    if (description_.precision == "reference") round_blocks_to_bf16(tensors_);
    weights_ = resolve_transformer(description_.transformer, tensors_);
    vae_ = converted(resolve_vae(vae_decoder_tensors(description_.vae),
                                 files.part(main, description_.vae_weights, "vae.", specs), ""),
                     device_, next_scale_image_type(description_.precision));
    const std::string& tokenizer = description_.tokenizer;
    captions_.emplace(description_.text, files.part(main, description_.text_weights, "t5.", specs),
                      tokenizer.empty() ? "" : model_file(root, tokenizer),
                      description_.transformer.text_max_tokens, device_, description_.overflow);
  }

  ModelDescription description_;
  CacheGeometry geometry_;
  at::Device device_;
  TensorMap tensors_;
  TransformerWeights weights_;
  TensorMap vae_;
  std::optional<CaptionEncoder> captions_;
};

std::vector<PromptFit> fit_prompts(const ConfigNode& model,
                                   const std::string& root,
                                   std::span<const std::string> prompts) {
  const ModelDescription d = describe_model(model);
  if (d.weights == "random" || d.tokenizer.empty()) return std::vector<PromptFit>(prompts.size());
  return fit_captions(model_file(root, d.tokenizer), prompts, d.transformer.text_max_tokens,
                      d.overflow);
}

std::unique_ptr<ImageModel> open(const ConfigNode& model,
                                 const std::string& root,
                                 at::Device device) {
  return std::make_unique<InfinityModel>(describe_model(model), root, device);
}

}  // namespace
}  // namespace infinity

ModelFamily family_infinity() {
  return {.ask = [](Options& options) { static_cast<void>(infinity::read_model(options)); },
          .facts = infinity::infinity_facts,
          .tensors = infinity::infinity_tensors,
          .memory = infinity::infinity_memory,
          .open = infinity::open,
          .fit_prompts = infinity::fit_prompts};
}

}  // namespace kvscope
