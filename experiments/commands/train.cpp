#include "experiments/commands/train.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/device/device.h"
#include "experiments/training/model_training.h"

namespace kvscope {
namespace {

struct FamilyTraining {
  const char* family;
  bool (*train)(const ModelTraining&);
};

// One for each of trained_families().
constexpr FamilyTraining kTrainings[] = {
    {"infinity", train_infinity_model},
    {"janus", train_janus_model},
};

const FamilyTraining& training_of(const std::string& family) {
  for (const FamilyTraining& training : kTrainings) {
    if (family == training.family) return training;
  }
  throw Error(ErrorKind::kConfig, fmt::format("model.family '{}' cannot be trained", family));
}

}  // namespace

int train_command(const ConfigNode& config,
                  const std::string& root,
                  const std::atomic<bool>& stop) {
  const ConfigNode& model = config.at("model");
  const std::string& family = model.at("family").as_string();
  const TrainSettings settings = train_settings(family, config.at("train"));
  const FamilyTraining& training = training_of(family);
  const at::Device device = open_device(config.at("device").as_string());
  const std::filesystem::path folder = std::filesystem::path(root) / settings.folder;
  std::filesystem::create_directories(folder);
  constexpr int kInterrupted = 130;
  return training.train({model, settings, root, folder, device, stop}) ? 0 : kInterrupted;
}

}  // namespace kvscope
