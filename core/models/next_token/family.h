#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/caption_encoder.h"
#include "core/models/image_tensors.h"
#include "core/models/model_family.h"
#include "core/models/next_token/conditions.h"
#include "core/models/next_token/decoder_tensors.h"
#include "core/models/next_token/description.h"
#include "core/models/next_token/generate.h"
#include "core/text/tokenizers/byte_pair_tokenizer.h"

namespace kvscope::next_token {

/// What a published size settles of the decoder.
struct PublishedSize {
  std::string name;  ///< "llamagen_b"
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t width = 0;
  int64_t feed_forward_width = 0;
};

/// How a family's checkpoints spell their tensors.
struct CheckpointNames {
  std::string transformer;  ///< what the tensors below belong to, for messages
  DecoderNames decoder;
  std::string head;  ///< the last matrix, whose rows are logits
  /// In front of the image tokenizer's tensors: of a part that may lie in a file of its own, or,
  /// with `vq_in_model`, of tensors that the model's file is expected to have.
  std::string vq = "vq.";
  bool vq_in_model = false;
  /// What names begin with, and what the same names begin with in a second spelling.
  std::vector<std::pair<std::string, std::string>> other_prefixes = {};
  /// What else published files carry: beginnings of names.
  std::vector<std::string> unneeded = {};
  /// Tables of which few rows are read: they stay in the type of the file.
  std::vector<std::string> kept_as_stored = {};
  /// Other embeddings: two-dimensional, but in no linear layer.
  std::vector<std::string> embeddings = {};
  /// Embeddings of the image tokens, where training starts them as the codebook; else empty.
  std::string code_embedding = {};
};

/// What turns prompts into numbers in an opened model.
struct TextTools {
  std::optional<BytePairTokenizer> tokenizer;  ///< empty: random weights, ids are made up
  std::optional<CaptionEncoder> captions;
};

/// An opened model as the condition of its family sees it.
struct ConditionSource {
  const ModelDescription& model;
  const TensorMap& tensors;  ///< of the transformer, by published name
  const TextTools& text;
};

using TensorFunction = std::function<at::Tensor(const at::Tensor&)>;

/// A family of Llama-type decoders over the codes of a VQ image tokenizer, as a value: all that one
/// differs from another in.
struct NextTokenFamily {
  std::string title;                      ///< "LlamaGen", for messages
  std::vector<PublishedSize> sizes = {};  ///< none: there is no key transformer.size
  ModelDescription defaults = {};         ///< of what no published size settles
  CheckpointNames names = {};
  int64_t head_dim_multiple = 2;                      ///< that the rotation asks for
  PixelRounding rounding = PixelRounding::kTruncate;  ///< as its published code does

  /// Asks for the keys that other families do not have. None: there are none.
  void (*read)(Options& options, ModelDescription& model) = nullptr;
  /// What the published code does otherwise than the description says. None: nothing.
  void (*correct_facts)(const ModelDescription& model, ModelFacts& facts) = nullptr;
  /// Names and shapes of the tensors in front of the decoder's, and of those behind, in the order
  /// of the published state dict.
  std::vector<WeightSpec> (*tensors_before)(const ModelDescription& model) = nullptr;
  std::vector<WeightSpec> (*tensors_behind)(const ModelDescription& model) = nullptr;
  /// Of every position of a generation.
  RotationTable (*rotation)(const ModelDescription& model) = nullptr;
  /// The prefill of `rows` of `prompts`.
  Condition (*condition)(const ConditionSource& source,
                         std::span<const std::string> prompts,
                         std::span<const ConditionRow> rows) = nullptr;
  /// How texts fit the model, read through the file `tokenizer`. None: it takes every text.
  std::vector<PromptFit> (*fit_texts)(const ModelDescription& model,
                                      const std::string& tokenizer,
                                      std::span<const std::string> texts) = nullptr;
  /// NextTokenModel's embed and head, over the transformer's tensors by published name.
  TensorFunction (*embed)(const TensorMap& tensors) = nullptr;
  TensorFunction (*head)(const TensorMap& tensors) = nullptr;
};

/// Asks for every key of the family; whether sizes fit each other is not checked. `precision` fp32:
/// all fp32. compact: fp32 with a bf16 cache. compact_weights: so, and the matrices of linear
/// layers lie in bf16, as published, and the image decoder computes in it. reference: weights,
/// activations and cache bf16, as published. Throws Error(kConfig) naming the key and what was
/// expected.
ModelDescription read_description(const NextTokenFamily& family, Options& options);

/// Throws Error(kConfig) naming the number that is out of range or does not fit another.
void check(const NextTokenFamily& family, const ModelDescription& model);

/// The description of a `model` group, read and checked.
ModelDescription describe(const NextTokenFamily& family, const ConfigNode& model);

/// The family as kvscope's registry takes it. `family` must live as long as the program.
ModelFamily model_family(const NextTokenFamily& family);

}  // namespace kvscope::next_token
