#include "core/models/var/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/device/inference_guard.h"
#include "core/device/work_clock.h"
#include "core/models/image_tensors.h"
#include "core/models/model_family.h"
#include "core/models/model_files.h"
#include "core/models/model_keys.h"
#include "core/models/next_scale/description.h"
#include "core/models/packed_tokens.h"
#include "core/models/shared/guidance.h"
#include "core/models/var/generate.h"
#include "core/models/var/vqvae.h"

namespace kvscope {
namespace var {
namespace {

/// Without the integer buffers that published files carry.
TensorMap floating(const TensorMap& tensors) {
  TensorMap floating;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point()) floating.set(name, tensor);
  }
  return floating;
}

class VarModel : public ImageModel {
 public:
  VarModel(const ConfigNode& model, const std::string& root, at::Device device)
      : description_(describe_model(model)), geometry_(var_facts(model).cache), device_(device) {
    const bool random = description_.weights == "random";
    random ? make_random() : load(root);
  }

  [[nodiscard]] const CacheGeometry& geometry() const override { return geometry_; }

  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override {
    return cache_rows(images, options.cfg, kUnguided);
  }

  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override {
    const InferenceGuard inference;
    std::vector<int64_t> labels;
    for (const std::string& prompt : prompts) {
      labels.push_back(class_of_prompt(prompt, description_.transformer.classes));
    }
    const GenerateOptions settings{.cfg = options.cfg,
                                   .tau = options.tau,
                                   .top_k = options.top_k,
                                   .top_p = options.top_p,
                                   .forced_ids = {}};
    const Generation generation =
        var::generate(description_.transformer, weights_, description_.vae, quantizer_,
                      description_.schedule, labels, settings, generators, context);
    GeneratedBatch batch;
    wait_for_device(device_);
    const auto start = std::chrono::steady_clock::now();
    batch.images = to_images(vqvae_decode(description_.vae, decoder_, generation.features));
    batch.decode_ms = milliseconds_since(start);
    batch.times = generation.times;
    const at::Tensor ids = at::cat(generation.ids, 1).to(at::kCPU);
    for (size_t image = 0; image < prompts.size(); ++image) {
      batch.tokens.push_back(pack_token_ids(ids, static_cast<int64_t>(image)));
    }
    return batch;
  }

 private:
  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    const TensorMap transformer =
        random_transformer(description_.transformer, description_.schedule, generator);
    weights_ = resolve_transformer(
        description_.transformer, description_.schedule,
        converted(transformer, device_, next_scale_stored_type(description_.precision)));
    quantizer_ = converted(random_vqvae(quantizer_tensors(description_.vae), generator), device_,
                           at::kFloat);
    decoder_ = converted(random_vqvae(decoder_tensors(description_.vae), generator), device_,
                         next_scale_image_type(description_.precision));
  }

  void load(const std::string& root) {
    const ModelFiles files(root, description_.name);
    const std::vector<WeightSpec> specs = description_tensors(description_);
    // Checked before widening, so that a wrong file costs no memory.
    const TensorMap main = files.main(description_.weights, specs);
    weights_ = resolve_transformer(description_.transformer, description_.schedule,
                                   converted(floating(part_tensors(main, "model.")), device_,
                                             next_scale_stored_type(description_.precision)));
    const bool own_file = !description_.vae_weights.empty();
    if (!own_file && main.below("vae.").empty()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("model.vae_weights is not set and model.weights={} has no image "
                              "decoder, names below 'vae.'; expected the file published beside "
                              "it, vae_ch160v4096z32.pth",
                              description_.weights));
    }
    const TensorMap vae = files.part(main, description_.vae_weights, "vae.", specs);
    quantizer_ =
        converted(resolve_vqvae(quantizer_tensors(description_.vae), vae), device_, at::kFloat);
    decoder_ = converted(resolve_vqvae(decoder_tensors(description_.vae), vae), device_,
                         next_scale_image_type(description_.precision));
  }

  ModelDescription description_;
  CacheGeometry geometry_;
  at::Device device_;
  TransformerWeights weights_;
  TensorMap quantizer_;
  TensorMap decoder_;
};

std::vector<PromptFit> fit_prompts(const ConfigNode& model,
                                   const std::string& /*root*/,
                                   std::span<const std::string> prompts) {
  return fit_classes(prompts, describe_model(model).transformer.classes);
}

std::unique_ptr<ImageModel> open(const ConfigNode& model,
                                 const std::string& root,
                                 at::Device device) {
  return std::make_unique<VarModel>(model, root, device);
}

}  // namespace
}  // namespace var

ModelFamily family_var() {
  return {.ask = [](Options& options) { static_cast<void>(var::read_model(options)); },
          .facts = var::var_facts,
          .tensors = var::var_tensors,
          .memory = var::var_memory,
          .open = var::open,
          .fit_prompts = var::fit_prompts};
}

}  // namespace kvscope
