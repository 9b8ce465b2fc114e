#include "core/models/next_token/opened_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/device/inference_guard.h"
#include "core/device/work_clock.h"
#include "core/models/model_files.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/packed_tokens.h"
#include "core/models/shared/guidance.h"
#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::next_token {
namespace {

class OpenedModel : public ImageModel {
 public:
  OpenedModel(const NextTokenFamily& family,
              ModelDescription description,
              const std::string& root,
              at::Device device)
      : family_(family),
        description_(std::move(description)),
        geometry_(description_.cache()),
        device_(device) {
    is_random() ? make_random() : load(root);
    if (description_.condition.kind == ConditionKind::kTokens) open_tokenizer(root);
    model_ = make_model(family_, description_, tensors_);
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
    const Condition prefill =
        family_.condition({.model = description_, .tensors = tensors_, .text = text_}, prompts,
                          condition_rows(std::ssize(prompts), guided(options.cfg)));
    wait_for_device(device_);
    batch.text_ms = milliseconds_since(start);
    const GenerateOptions settings{.cfg = options.cfg,
                                   .tau = options.tau,
                                   .cfg_interval = description_.cfg_interval,
                                   .top_k = options.top_k,
                                   .top_p = options.top_p,
                                   .forced_tokens = {}};
    const Generation generation =
        next_token::generate(model_, prefill, settings, generators, context);
    wait_for_device(device_);
    start = std::chrono::steady_clock::now();
    const at::Tensor grid =
        generation.tokens.view({-1, description_.grid_height, description_.grid_width});
    batch.images = to_images(vq_decode(description_.vq, vq_, grid, "", 1, description_.image_type),
                             family_.rounding);
    batch.decode_ms = milliseconds_since(start);
    batch.times = generation.times;
    for (int64_t image = 0; image < generation.tokens.size(0); ++image) {
      batch.tokens.push_back(pack_token_ids(generation.tokens, image));
    }
    return batch;
  }

 private:
  [[nodiscard]] bool is_random() const { return description_.weights == "random"; }
  [[nodiscard]] bool reads_captions() const {
    return description_.condition.kind == ConditionKind::kFeatures;
  }

  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    tensors_ =
        random_transformer(family_, description_, description_.weight_type, generator).to(device_);
    vq_ = converted(random_vq(vq_decoder_tensors(description_.vq), generator), device_,
                    description_.image_type);
    if (reads_captions()) {
      text_.captions.emplace(description_.condition.text_channels,
                             description_.condition.text_tokens, device_);
    }
  }

  void load(const std::string& root) {
    const ModelFiles files(root, description_.name);
    const CheckpointNames& names = family_.names;
    const std::vector<WeightSpec> specs = checkpoint_tensors(family_, description_);
    // Checked before converting, so that a wrong file costs no memory.
    const TensorMap main = files.main(description_.weights, specs);
    const TensorMap published = published_names(family_, description_, main);
    tensors_ = on_device(resolve(family_, description_, published));
    vq_ = resolve_vq(vq_decoder_tensors(description_.vq),
                     files.part(names.vq_in_model ? published : main, description_.vae_weights,
                                names.vq, vq_checkpoint_tensors(description_.vq, names.vq)),
                     "", description_.image_type)
              .to(device_);
    if (!reads_captions()) return;
    const std::string& tokenizer = description_.tokenizer;
    text_.captions.emplace(description_.condition.text_encoder,
                           files.part(main, description_.text_weights, "t5.", specs),
                           tokenizer.empty() ? "" : model_file(root, tokenizer),
                           description_.condition.text_tokens, device_,
                           description_.condition.overflow);
  }

  [[nodiscard]] TensorMap on_device(const TensorMap& stored) const {
    const std::vector<std::string>& kept = family_.names.kept_as_stored;
    TensorMap needed;
    for (const auto& [name, tensor] : stored) {
      if (std::ranges::find(kept, name) == kept.end()) needed.set(name, tensor);
    }
    TensorMap tensors = converted(needed, device_, [&](const std::string& name, auto shape) {
      return stored_type(family_, description_, name, shape);
    });
    for (const std::string& name : kept) tensors.set(name, stored.at(name).to(device_));
    return tensors;
  }

  void open_tokenizer(const std::string& root) {
    if (!description_.tokenizer.empty()) {
      text_.tokenizer.emplace(
          BytePairTokenizer::from_file(model_file(root, description_.tokenizer)));
    } else if (!is_random()) {
      throw Error(ErrorKind::kConfig,
                  "model.tokenizer is not set; expected the tokenizer.json published with the "
                  "weights, or its folder");
    }
  }

  const NextTokenFamily& family_;
  ModelDescription description_;
  CacheGeometry geometry_;
  at::Device device_;
  TensorMap tensors_;  // of the transformer, published names
  TensorMap vq_;       // of the VQ decoder, bare names
  TextTools text_;
  NextTokenModel model_;
};

}  // namespace

std::unique_ptr<ImageModel> open(const NextTokenFamily& family,
                                 ModelDescription model,
                                 const std::string& root,
                                 at::Device device) {
  return std::make_unique<OpenedModel>(family, std::move(model), root, device);
}

}  // namespace kvscope::next_token
