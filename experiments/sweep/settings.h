#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/engine/plan.h"
#include "core/models/image_model.h"
#include "core/models/image_seed.h"
#include "experiments/launch/launch_options.h"

namespace kvscope {

class PromptFiles;

/// The keys of a run that stand in no group: how its points are run, not what they are.
struct LaunchSettings {
  std::string device = "cpu";             ///< cpu | cuda | cuda:N | auto
  std::optional<int64_t> threads{};       ///< CPU threads of one operation; none: all cores
  std::optional<int64_t> workers{1};      ///< processes that share the points; none: one a core
  std::optional<std::string> launcher{};  ///< of launchers.def; none: as `workers` asks
  LaunchOptions options{};                ///< `launch`: of the launchers
  bool skip_infeasible = false;  ///< leave out points whose policy cannot meet their budget
};
/// Asks for every key of the top level but the groups of other readers.
LaunchSettings read_launch(Options& options);

/// The `gen` group: how images are drawn, and how many.
struct GenerationSettings {
  SamplingOptions sampling{};
  std::optional<int64_t> images = 12;  ///< prompts; none: all of a file or list
  int64_t batch = 4;                   ///< images generated at once
  bool batch_is_auto = false;          ///< `batch` is halved where memory runs out
  uint64_t seed = 0;                   ///< with prompt id and replica, the seed of an image
  int64_t replicas = 1;                ///< images of each prompt
  SeedRule seed_rule = SeedRule::kHashed;
  double unguided = 1.0;  ///< the model's cfg that means no guidance
  EvictionTiming eviction_timing = EvictionTiming::kPerLayer;
  bool store_last_scale = false;  ///< caches the last scale too, which nothing reads

  /// Cache rows of `images` images: two each where any step is guided.
  [[nodiscard]] int64_t rows(int64_t images) const;
};
GenerationSettings read_generation(Options& options);

/// The `gen` group of a config for a model. Throws Error(kConfig) where cfg or tau is a list of
/// another length than the model has steps.
GenerationSettings generation_settings(const ConfigNode& config, const ModelFacts& facts);

/// The `prompts` group.
struct PromptSettings {
  std::string source = "shapes";  ///< shapes | file | list
  int64_t seed = 1;               ///< order of the shapes test captions
  std::optional<std::string> file{};
  const ConfigNode* list = nullptr;  ///< null where there is none; lives as long as the config
};
PromptSettings read_prompts(Options& options);

/// The `metrics` group: names of what is measured on every image.
std::vector<std::string> read_metrics(Options& options);

/// One prompt; `id` stays the same when more prompts are asked for.
struct Prompt {
  uint64_t id = 0;
  std::string text{};
  std::string skill{};     ///< of captions of the shapes task; else empty
  std::string place{};     ///< where it stands: "prompt", "my_prompts.txt:3", "prompts.list.2"
  int64_t cut_tokens = 0;  ///< of its end, which the model does not see; of check_prompts()
};

/// The prompts of a config: `prompt`, or the first gen.images of the `prompts` group. A number is
/// the text of its digits, as class-conditional models take it. Throws Error(kInput) for a prompts
/// file that cannot be read or is not UTF-8, Error(kConfig) where file or list has too few.
std::vector<Prompt> prompts_of(const ConfigNode& config, PromptFiles& files);

/// All prompts that the config chooses the first ones of: of the endless list of the shapes task as
/// many as tell one of its orders from another. What prompts_of() gives is as many of these.
std::vector<Prompt> source_prompts(const ConfigNode& config, PromptFiles& files);

}  // namespace kvscope
