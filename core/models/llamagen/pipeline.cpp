#include "core/models/llamagen/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <optional>

#include "core/checkpoint/mapped_tensor.h"
#include "core/models/caption_encoder.h"
#include "core/models/llamagen/condition.h"
#include "core/models/llamagen/weights.h"
#include "core/models/model_files.h"
#include "core/models/model_keys.h"
#include "core/models/next_token/picture_model.h"
#include "core/models/next_token/random_decoder.h"
#include "core/models/vq/vq_tensors.h"
#include "core/text/clean_caption.h"

namespace kvscope::llamagen {
namespace {

class LlamaGenModel : public next_token::PictureModel {
 public:
  LlamaGenModel(LlamaGenDescription description, const std::string& root, at::Device device)
      : PictureModel(
            description.model, description.config.condition_tokens(), PixelRounding::kNearest),
        description_(std::move(description)),
        device_(device) {
    cfg_interval_ = description_.cfg_interval;
    if (is_random()) {
      make_random();
    } else {
      load(root);
    }
    model_ = make_model(description_.config, weights_);
  }

 private:
  next_token::Condition condition(std::span<const std::string> prompts, bool guided) override {
    return takes_text() ? of_captions(prompts, guided) : of_classes(prompts, guided);
  }

  [[nodiscard]] bool is_random() const { return description_.model.weights == "random"; }
  [[nodiscard]] bool takes_text() const {
    return description_.config.conditioning == Conditioning::kText;
  }

  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    const TensorMap tensors = next_token::random_decoder(llamagen_tensors(description_.config),
                                                         description_.config.decoder.layers,
                                                         description_.model.weight_type, generator);
    weights_ = resolve_llamagen(description_.config, tensors.to(device_));
    picture_ = random_vq(vq_decoder_tensors(description_.model.vq), generator).to(device_);
    if (takes_text()) {
      captions_.emplace(description_.config.caption_channels, description_.config.caption_tokens,
                        device_);
    }
  }

  void load(const std::string& root) {
    const next_token::ModelDescription& model = description_.model;
    const ModelFiles files(root, model.name);
    const std::vector<WeightSpec> specs = description_tensors(description_);
    // Checked before converting, so that a wrong file costs no memory.
    const TensorMap main = files.main(model.weights, specs);
    const TensorMap transformer = part_tensors(main, "model.");
    TensorMap needed;
    for (const WeightSpec& spec : llamagen_tensors(description_.config)) {
      needed.set(spec.name, transformer.at(spec.name));
    }
    weights_ = resolve_llamagen(description_.config, converted(needed, device_, model.weight_type));
    picture_ = resolve_vq(vq_decoder_tensors(model.vq),
                          files.part(main, model.vae_weights, "vq.", specs), "")
                   .to(device_);
    if (!takes_text()) return;
    captions_.emplace(description_.text, files.part(main, model.text_weights, "t5.", specs),
                      model.tokenizer.empty() ? "" : model_file(root, model.tokenizer),
                      description_.config.caption_tokens, device_);
  }

  [[nodiscard]] next_token::Condition of_classes(std::span<const std::string> prompts,
                                                 bool guided) const {
    std::vector<int64_t> classes;
    for (const std::string& prompt : prompts) {
      classes.push_back(class_of_prompt(prompt, description_.config.classes));
    }
    return class_condition(description_.config, weights_, classes, guided);
  }

  [[nodiscard]] next_token::Condition of_captions(std::span<const std::string> prompts,
                                                  bool guided) const {
    const CaptionFeatures captions = captions_->encode(cleaned(prompts));
    return caption_condition(description_.config, weights_, captions.features, captions.lengths,
                             guided);
  }

  [[nodiscard]] std::vector<std::string> cleaned(std::span<const std::string> prompts) const {
    std::vector<std::string> texts(prompts.begin(), prompts.end());
    if (description_.clean_captions) {
      for (std::string& text : texts) text = clean_caption(text);
    }
    return texts;
  }

  LlamaGenDescription description_;
  at::Device device_;
  LlamaGenWeights weights_;
  std::optional<CaptionEncoder> captions_;  // none: classes
};

}  // namespace

std::unique_ptr<ImageModel> open_llamagen(const ConfigNode& model,
                                          const std::string& root,
                                          at::Device device) {
  return std::make_unique<LlamaGenModel>(describe_llamagen(model), root, device);
}

}  // namespace kvscope::llamagen
