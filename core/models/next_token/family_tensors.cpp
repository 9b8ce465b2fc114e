#include "core/models/next_token/family_tensors.h"

#include <algorithm>
#include <utility>

#include "core/models/model_files.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::next_token {
namespace {

constexpr const char* kPart = "model.";

void append(std::vector<WeightSpec>& specs, std::vector<WeightSpec> more) {
  specs.insert(specs.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

std::vector<std::string> other_names(const CheckpointNames& names, const std::string& published) {
  std::string other = other_name(names, published);
  if (other == published) return {};
  return {std::move(other)};
}

// The image tokenizer as tensors of the model itself, each in both spellings; none of them is read
// where it has a file of its own.
std::vector<WeightSpec> vq_of_model(const CheckpointNames& names, const ModelDescription& model) {
  if (!model.vae_weights.empty()) {
    return {unneeded_tensors(names.vq, kPart, other_names(names, names.vq))};
  }
  std::vector<WeightSpec> specs = vq_checkpoint_tensors(model.vq, kPart);
  for (WeightSpec& spec : specs) {
    spec.other_names = {other_name(names, names.vq) + vq_hugging_face_name(spec.name)};
    spec.name = names.vq + spec.name;
  }
  return specs;
}

}  // namespace

std::vector<WeightSpec> transformer_tensors(const NextTokenFamily& family,
                                            const ModelDescription& model) {
  check(family, model);
  std::vector<WeightSpec> specs = family.tensors_before(model);
  append(specs, decoder_tensors(model.decoder, family.names.decoder));
  append(specs, family.tensors_behind(model));
  for (WeightSpec& spec : specs) {
    spec.part = kPart;
    spec.other_names = other_names(family.names, spec.name);
  }
  return specs;
}

std::vector<WeightSpec> checkpoint_tensors(const NextTokenFamily& family,
                                           const ModelDescription& model) {
  const CheckpointNames& names = family.names;
  std::vector<WeightSpec> specs = transformer_tensors(family, model);
  append(specs,
         names.vq_in_model ? vq_of_model(names, model) : vq_checkpoint_tensors(model.vq, names.vq));
  for (const std::string& name : names.unneeded) {
    specs.push_back(unneeded_tensors(name, kPart, other_names(names, name)));
  }
  if (model.condition.kind == ConditionKind::kFeatures) {
    append(specs, caption_encoder_tensors(model.condition.text_encoder));
  }
  return specs;
}

std::string other_name(const CheckpointNames& names, const std::string& published) {
  for (const auto& [from, to] : names.other_prefixes) {
    if (published.starts_with(from)) return to + published.substr(from.size());
  }
  return published;
}

TensorMap published_names(const NextTokenFamily& family,
                          const ModelDescription& model,
                          const TensorMap& checkpoint) {
  const CheckpointNames& names = family.names;
  if (names.other_prefixes.empty()) return part_tensors(checkpoint, kPart);
  const std::vector<WeightSpec> specs = transformer_tensors(family, model);
  const auto respelled =
      std::ranges::find_if(specs, [](const WeightSpec& spec) { return !spec.other_names.empty(); });
  if (respelled == specs.end() || checkpoint.contains(respelled->name)) return checkpoint;
  if (checkpoint.contains(kPart + respelled->name)) return checkpoint.below(kPart);
  if (!checkpoint.contains(respelled->other_names.front())) return checkpoint;
  TensorMap result;
  for (const auto& [name, tensor] : checkpoint) {
    const auto prefix = std::ranges::find_if(
        names.other_prefixes,
        [&name = name](const auto& spellings) { return name.starts_with(spellings.second); });
    result.set(prefix == names.other_prefixes.end()
                   ? name
                   : prefix->first + name.substr(prefix->second.size()),
               tensor);
  }
  return result;
}

TensorMap resolve(const NextTokenFamily& family,
                  const ModelDescription& model,
                  const TensorMap& tensors) {
  return resolve_weights(
      transformer_tensors(family, model), tensors,
      [](const std::string& name) { return std::vector<std::string>{name}; },
      family.names.transformer);
}

at::ScalarType stored_type(const NextTokenFamily& family,
                           const ModelDescription& model,
                           const std::string& name,
                           at::IntArrayRef shape) {
  const CheckpointNames& names = family.names;
  const auto is_one_of = [&](const std::vector<std::string>& some) {
    return std::ranges::find(some, name) != some.end();
  };
  const bool is_norm = name.find("_norm.") != name.npos;  // a row of weights for each head
  const bool is_matrix = shape.size() == 2 && !is_norm && !is_one_of(names.embeddings) &&
                         !is_one_of(names.kept_as_stored);
  return is_matrix ? model.matrix_type : model.weight_type;
}

NextTokenModel make_model(const NextTokenFamily& family,
                          const ModelDescription& model,
                          const TensorMap& resolved) {
  const at::Device device = resolved.at(family.names.head).device();
  return {.config = model.decoder,
          .weights = decoder_weights(model.decoder, family.names.decoder, resolved),
          .rotation = on_device(family.rotation(model), device),
          .embed = family.embed(resolved),
          .head = family.head(resolved)};
}

}  // namespace kvscope::next_token
