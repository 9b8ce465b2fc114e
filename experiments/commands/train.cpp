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

// The only list of families that can be trained.
constexpr FamilyTraining kTrainings[] = {
    {"infinity", train_infinity_model},
    {"janus", train_janus_model},
};

const FamilyTraining& training_of(const ConfigNode& model) {
  const ConfigNode& family = model.at("family");
  std::vector<std::string> known;
  for (const FamilyTraining& training : kTrainings) {
    if (family.as_string() == training.family) return training;
    known.emplace_back(training.family);
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("model.family '{}' cannot be trained. {}", family.as_string(),
                          suggestion(family.as_string(), known)));
}

}  // namespace

int train_command(const ConfigNode& config,
                  const std::string& root,
                  const std::atomic<bool>& stop) {
  const ConfigNode& model = config.at("model");
  const ConfigNode& train = config.at("train");
  const FamilyTraining& training = training_of(model);
  const at::Device device = open_device(config.at("device").as_string());
  const std::filesystem::path folder = std::filesystem::path(root) / train.at("folder").as_string();
  std::filesystem::create_directories(folder);
  constexpr int kInterrupted = 130;
  return training.train({model, train, root, folder, device, stop}) ? 0 : kInterrupted;
}

}  // namespace kvscope
