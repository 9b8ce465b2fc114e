#include "analysis/metrics/clip_judge.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <utility>

#include "analysis/metrics/metric_inputs.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/device/inference_guard.h"

namespace kvscope {
namespace {

constexpr const char* kClipWeights = "weights.clip";
constexpr const char* kHpsWeights = "weights.hps_v2";
constexpr const char* kVocabulary = "weights.clip_vocabulary";
constexpr const char* kActivation = "clip.activation";

ClipSettings settings_of(const MetricInputs& inputs) {
  ClipSettings settings{.vision_heads = inputs.integer("clip.vision_heads"),
                        .text_heads = inputs.integer("clip.text_heads")};
  if (const auto activation = inputs.find(kActivation)) {
    settings.activation =
        *activation == "gelu" ? ClipActivation::kGelu : ClipActivation::kQuickGelu;
  }
  return settings;
}

/// The network of a file and the vocabulary beside it, which have to fit each other.
ClipJudge opened(const MetricInputs& inputs,
                 const char* weights,
                 const ClipSettings& settings,
                 bool is_hps) {
  const std::filesystem::path file = inputs.file(weights);
  const std::filesystem::path vocabulary = inputs.file(kVocabulary);
  const Clip network =
      Clip(read_checkpoint(file), file.string(), settings).to(inputs.device(), at::kFloat);
  ClipTokenizer tokenizer = ClipTokenizer::from_file(vocabulary);
  if (tokenizer.vocabulary() != network.sizes().vocabulary) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} has {} tokens, the network of {} is of {}", vocabulary.string(),
                            tokenizer.vocabulary(), file.string(), network.sizes().vocabulary));
  }
  const bool is_open_clip = network.names() == ClipNames::kOpenClip;
  return {network, std::move(tokenizer), is_hps ? ClipInput::kTensor : ClipInput::kOpenAi,
          is_open_clip ? ClipText::kOpenClip : ClipText::kOpenAi};
}

MeasureImage cosines_of(std::shared_ptr<ClipJudge> judge) {
  return [judge = std::move(judge)](const MeasuredImage& seen) {
    return judge->cosine(seen.image, seen.prompt);
  };
}

MetricInput vocabulary_input() {
  return {.key = kVocabulary,
          .help =
              "CLIP's byte-level BPE: OpenAI's list of merges, a tokenizer.json, or a folder "
              "with vocab.json and merges.txt",
          .file_name = "bpe_simple_vocab_16e6.txt.gz",
          .source =
              "clip/bpe_simple_vocab_16e6.txt.gz of https://github.com/openai/CLIP, or the "
              "tokenizer.json of any CLIP on huggingface.co; its digest is stored with the "
              "results"};
}

}  // namespace

ClipJudge::ClipJudge(Clip network, ClipTokenizer tokenizer, ClipInput input, ClipText text)
    : network_(std::move(network)), tokenizer_(std::move(tokenizer)), input_(input), text_(text) {}

double ClipJudge::cosine(const Image& image, std::string_view prompt) const {
  const InferenceGuard guard;
  const Clip::Sizes& sizes = network_.sizes();
  const at::Tensor pixels = clip_pixels(image, sizes.pixels, input_).to(network_.device());
  const ClipTokenizer::Row row = tokenizer_.row(prompt, sizes.context, text_);
  const at::Tensor ids = at::tensor(row.ids, at::kLong).unsqueeze(0);
  const at::Tensor of_image = unit_rows(network_.image_features(pixels));
  const at::Tensor of_text = unit_rows(network_.text_features(ids));
  return (of_image * of_text).to(at::kCPU, at::kDouble).sum().item<double>();
}

MeasureImage clip_cosines(const MetricInputs& inputs) {
  return cosines_of(inputs.shared<ClipJudge>(
      "clip", [&] { return opened(inputs, kClipWeights, settings_of(inputs), false); }));
}

MeasureImage hps_cosines(const MetricInputs& inputs) {
  return cosines_of(
      inputs.shared<ClipJudge>("hps_v2", [&] { return opened(inputs, kHpsWeights, {}, true); }));
}

std::vector<MetricInput> clip_inputs() {
  using Kind = MetricInput::Kind;
  return {{.key = kClipWeights,
           .help = "a CLIP with a vision transformer, as OpenAI, open_clip or transformers publish "
                   "it",
           .file_name = "ViT-L-14.pt",
           .source = "ViT-L-14.pt of OpenAI (https://github.com/openai/CLIP, clip/clip.py has the "
                     "addresses and SHA-256 of every size) or any other CLIP of a vision "
                     "transformer; its digest is stored with the results"},
          vocabulary_input(),
          {.key = kActivation,
           .help = "of the CLIP's layers; null: quick_gelu under OpenAI's and transformers' names, "
                   "gelu under open_clip's",
           .kind = Kind::kWord,
           .allowed = {"quick_gelu", "gelu"}},
          {.key = "clip.vision_heads",
           .help = "attention heads; null: 16 in ViT-H and larger, else width / 64",
           .kind = Kind::kInteger},
          {.key = "clip.text_heads",
           .help = "attention heads; null: width / 64",
           .kind = Kind::kInteger}};
}

std::string clip_note(std::string_view convention) {
  return fmt::format(
      "{}; picture resized by Pillow's bicubic and cropped in the middle; prompts cut at 77 "
      "tokens, "
      "the end token last; quick-GELU under OpenAI's and transformers' names, exact GELU under "
      "open_clip's, unless metrics.clip.activation says",
      convention);
}

std::vector<MetricInput> hps_inputs() {
  return {{.key = kHpsWeights,
           .help = "HPSv2's CLIP, of version 2.0 or 2.1",
           .file_name = "HPS_v2.1_compressed.pt",
           .source = "HPS_v2.1_compressed.pt (or HPS_v2_compressed.pt of version 2.0) of "
                     "https://huggingface.co/xswu/HPSv2; its digest is stored with the results"},
          vocabulary_input()};
}

}  // namespace kvscope
