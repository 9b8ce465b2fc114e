#include "core/models/janus/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <optional>

#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/models/janus/prompt.h"
#include "core/models/janus/weights.h"
#include "core/models/model_files.h"
#include "core/models/next_token/picture_model.h"
#include "core/models/next_token/random_decoder.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::janus {
namespace {

class JanusModel : public next_token::PictureModel {
 public:
  JanusModel(JanusDescription description, const std::string& root, at::Device device)
      : PictureModel(description.model, description.config.prompt_tokens, PixelRounding::kTruncate),
        description_(std::move(description)) {
    if (description_.model.weights == "random") {
      make_random(device);
    } else {
      load(root, device);
    }
    if (!description_.model.tokenizer.empty()) {
      tokenizer_.emplace(
          BytePairTokenizer::from_file(model_file(root, description_.model.tokenizer)));
    } else if (description_.model.weights != "random") {
      throw Error(ErrorKind::kConfig,
                  "model.tokenizer is not set; expected the tokenizer.json published with the "
                  "weights, or its folder");
    }
    model_ = make_model(description_.config, weights_);
  }

 private:
  next_token::Condition condition(std::span<const std::string> prompts, bool guided) override {
    const PromptIds ids =
        tokenizer_ ? tokenized(*tokenizer_, prompts) : made_up(description_.config, prompts);
    return prompt_condition(description_.config, weights_, ids, guided);
  }

  void make_random(at::Device device) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    const TensorMap tensors = next_token::random_decoder(janus_tensors(description_.config),
                                                         description_.config.decoder.layers,
                                                         description_.model.weight_type, generator);
    weights_ = resolve_janus(description_.config, tensors.to(device));
    picture_ = random_vq(vq_decoder_tensors(description_.model.vq), generator).to(device);
  }

  void load(const std::string& root, at::Device device) {
    const ModelFiles files(root, description_.model.name);
    // Checked before converting, so that a wrong file costs no memory.
    const TensorMap main =
        published_names(files.main(description_.model.weights, description_tensors(description_)));
    const JanusWeights stored = resolve_janus(description_.config, main);
    TensorMap needed;
    for (const WeightSpec& spec : janus_tensors(description_.config)) {
      if (!stored.text_embedding.is_same(main.at(spec.name))) {
        needed.set(spec.name, main.at(spec.name));
      }
    }
    TensorMap tensors = converted(needed, device, description_.model.weight_type);
    // A few of its rows are ever read: it stays as stored.
    tensors.set("language_model.model.embed_tokens.weight", stored.text_embedding.to(device));
    weights_ = resolve_janus(description_.config, tensors);
    const VqConfig& vq = description_.model.vq;
    const std::string part = "gen_vision_model.";
    picture_ = resolve_vq(vq_decoder_tensors(vq),
                          files.part(main, description_.model.vae_weights, part,
                                     vq_checkpoint_tensors(vq, part)),
                          "")
                   .to(device);
  }

  JanusDescription description_;
  JanusWeights weights_;
  std::optional<BytePairTokenizer> tokenizer_;  // none: random model, made-up ids
};

}  // namespace

std::unique_ptr<ImageModel> open_janus(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device) {
  return std::make_unique<JanusModel>(describe_janus(model), root, device);
}

}  // namespace kvscope::janus
