#pragma once

#include <ATen/core/Generator.h>
#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/next_token/family.h"

namespace kvscope::next_token {

/// Every tensor of the transformer, image tokenizer not counted, in the order of the published
/// state dict, each with its second spelling where there is one. Checks the description first.
std::vector<WeightSpec> transformer_tensors(const NextTokenFamily& family,
                                            const ModelDescription& model);

/// Every tensor that the main file is asked for, with those that published files carry beside them:
/// transformer, image tokenizer, text encoder.
std::vector<WeightSpec> checkpoint_tensors(const NextTokenFamily& family,
                                           const ModelDescription& model);

/// A published name in the family's second spelling; itself where there is none. Of the image
/// tokenizer the prefix only.
std::string other_name(const CheckpointNames& names, const std::string& published);

/// The transformer's tensors of a checkpoint under their published names, whichever the spelling; a
/// "model." in front of published names (files that hold several parts) goes.
TensorMap published_names(const NextTokenFamily& family,
                          const ModelDescription& model,
                          const TensorMap& checkpoint);

/// Looks every tensor of the transformer up by its published name. Throws Error(kInput) listing all
/// missing names and every wrong shape with both shapes.
TensorMap resolve(const NextTokenFamily& family,
                  const ModelDescription& model,
                  const TensorMap& tensors);

/// How a tensor of the transformer lies in memory.
at::ScalarType stored_type(const NextTokenFamily& family,
                           const ModelDescription& model,
                           const std::string& name,
                           at::IntArrayRef shape);

/// The loop's view of resolved tensors; handles and views, so gradients reach the leaves.
NextTokenModel make_model(const NextTokenFamily& family,
                          const ModelDescription& model,
                          const TensorMap& resolved);

/// Fresh weights of the transformer in `type`, but for matrices that the model stores in another
/// (ModelDescription::matrix_type): norms 1, biases 0, matrices normal of standard
/// deviation 0.8 / sqrt(inputs), smaller where they write into the residual stream of the layers
/// and in the head, so that a random model of any size stays finite and undecided.
TensorMap random_transformer(const NextTokenFamily& family,
                             const ModelDescription& model,
                             at::ScalarType type,
                             at::Generator generator);

}  // namespace kvscope::next_token
