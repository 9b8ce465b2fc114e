#pragma once

#include <c10/core/Device.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "core/checkpoint/tensor_map.h"
#include "core/config/value.h"
#include "experiments/training/train_settings.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

/// What `kvscope train` gives the training of every family.
struct ModelTraining {
  const ConfigNode& model;  ///< the `model` group
  const TrainSettings& settings;
  std::filesystem::path root;    ///< what relative paths are below
  std::filesystem::path folder;  ///< states, curves and results
  at::Device device;
  const std::atomic<bool>& stop;

  /// Steps, batch and state file of a stage, whose name its files have.
  [[nodiscard]] TrainingSchedule schedule(const std::string& stage,
                                          const StageSettings& settings) const;
  /// Prints the progress of a stage with the time left and keeps its curve in
  /// <folder>/<stage>_loss.h5.
  [[nodiscard]] TrainingReport report(const std::string& stage,
                                      const StageSettings& settings) const;
  void draw_curve(const std::string& stage) const;
};

/// Every caption of the shapes task, held-out ones too: what text vocabularies are learned from.
std::vector<std::string> all_shapes_captions();

/// A finished model to go on from: the folder `train.start_from`, or nothing.
struct FinishedModel {
  TensorMap tensors;  ///< fp32
  std::filesystem::path folder;

  /// The tensors whose names begin with `prefix`, without it.
  [[nodiscard]] TensorMap part(std::string_view prefix) const { return tensors.below(prefix); }
};
FinishedModel finished_model(const ModelTraining& training);

/// Writes <folder>/model.safetensors, bf16.
void export_model(const ModelTraining& training, const TensorMap& tensors);

/// Trains a model of the infinity family: caption vocabulary, autoencoder, transformer with its
/// text encoder. Returns false when stopped before the end.
bool train_infinity_model(const ModelTraining& training);
/// Trains a model of the janus family: caption vocabulary, VQ tokenizer, transformer.
bool train_janus_model(const ModelTraining& training);

}  // namespace kvscope
