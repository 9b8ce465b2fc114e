#include "experiments/commands/train.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "analysis/shapes/scene.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/compose.h"
#include "core/device/device.h"
#include "core/models/image_model.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/unread_overrides.h"
#include "experiments/sweep/config_paths.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/run_keys.h"
#include "experiments/sweep/settings.h"
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

/// The model that the overrides choose, by its option's name; the default one's otherwise.
std::string chosen_model(const ConfigArguments& arguments) {
  constexpr std::string_view kChoice = "model=";
  for (auto text = arguments.overrides.rbegin(); text != arguments.overrides.rend(); ++text) {
    if (text->starts_with(kChoice)) return text->substr(kChoice.size());
  }
  ConfigArguments plain = arguments;
  plain.overrides.clear();
  return compose(compose_request(plain)).config.at("model.name").as_string();
}

/// Throws where a model's images are of another size than those it is to learn from.
void check_image_size(const ConfigNode& model) {
  const ModelFacts facts = model_facts(model);
  if (facts.image_height == shapes::kImageSize && facts.image_width == shapes::kImageSize) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("model {} makes images of {} x {} pixels, and the shapes task has {} x "
                          "{}; expected a model.picture that comes to these",
                          facts.name, facts.image_height, facts.image_width, shapes::kImageSize,
                          shapes::kImageSize));
}

}  // namespace

int train_command(ConfigArguments arguments, const std::string& command_line) {
  const auto chooses_train = [](const std::string& text) {
    return text.starts_with("train=") || text.starts_with("+train=");
  };
  if (std::ranges::none_of(arguments.overrides, chooses_train)) {
    arguments.overrides.insert(arguments.overrides.begin(), "+train=" + chosen_model(arguments));
  }
  constexpr std::string_view kUnread[] = {"launcher", "launch", "workers", "infeasible", "gen",
                                          "prompts",  "prompt", "metrics", "policy",     "budget"};
  refuse_unread_overrides(arguments.overrides, "train", kUnread);
  const std::string root = data_root().string();
  Composition composition = compose(compose_request(arguments));
  if (!composition.without_effect.empty()) {
    throw Error(ErrorKind::kConfig, composition.without_effect.front().second);
  }
  settle_paths(composition.config, root);
  const ConfigNode& config = composition.config;
  check_config(config, ConfigUse::kTrain);
  Options top("", config);
  if (const auto threads = read_launch(top).threads) {
    at::set_num_threads(static_cast<int>(*threads));
  }
  const ConfigNode& model = config.at("model");
  const std::string& family = model.at("family").as_string();
  const TrainSettings settings = train_settings(family, config.at("train"));
  const FamilyTraining& training = training_of(family);
  check_image_size(model);
  const at::Device device = open_device(config.at("device").as_string());
  const std::filesystem::path folder = std::filesystem::path(root) / settings.folder;
  std::filesystem::create_directories(folder);
  const InterruptGuard interrupt(
      "stopping as soon as the step at work is done and saved; Ctrl-C again stops at once, and "
      "the steps since the last save are made again");
  if (training.train({model, settings, root, folder, device, interrupt.flag()})) return 0;
  if (interrupt.requested()) {
    say("interrupted; the steps made are kept. The same command goes on:\n  {}", command_line);
  }
  constexpr int kInterrupted = 130;
  return kInterrupted;
}

void register_train(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  CLI::App& command =
      registrar.add("train", "train an embedded model; resumes",
                    [config, typed = registrar.typed()] { return train_command(*config, typed); });
  add_config_options(command, *config);
}

}  // namespace kvscope
