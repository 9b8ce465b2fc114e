#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/compose.h"
#include "core/engine/plan.h"
#include "core/models/image_model.h"
#include "experiments/results/result_file.h"
#include "experiments/sweep/settings.h"
#include "policies/registry.h"

namespace kvscope {

/// One point of a sweep, checked as far as can be without weights: what runs, under which name,
/// and what it will take.
struct Point {
  std::vector<std::string> overrides{};  ///< as the user wrote them, this point's share
  ConfigNode config{};                   ///< resolved; budget normalised where it has no meaning
  std::string hash{};                    ///< 64 hex digits; empty where not asked for
  std::string setting_hash{};            ///< likewise without the prompts
  std::string reference_hash{};          ///< of the full-cache point of the same setting
  std::vector<std::pair<std::string, std::string>> labels{};  ///< see PointInfo
  ModelFacts facts{};
  LaunchSettings launch{};
  GenerationSettings generation{};
  std::vector<std::string> metrics{};  ///< what is measured on its images
  MetricOrigins metric_origins{};      ///< of those; empty where no hash was asked for
  std::vector<Prompt> prompts{};
  Budget budget{};            ///< as asked for; the whole cache under a policy that keeps all
  Plan plan{};                ///< within the budget
  int64_t budget_tokens = 0;  ///< per (layer, head): what the budget's number means
  int64_t target_tokens = 0;  ///< per (layer, head): what every eviction aims at, see PlannedBudget
  std::shared_ptr<PromptFiles> prompt_files{};            ///< what its prompts were read through
  std::shared_ptr<const ComponentRegistry> components{};  ///< what its policy is made of
  std::vector<std::filesystem::path> policy_files{};  ///< that its policy's components have read
  std::vector<std::pair<std::string, std::string>> digests{};  ///< of all its files, by what reads
  /// (key, SHA-256) of what its model reads, and every file that was looked at for it; empty where
  /// no hash was asked for. Whoever runs the point takes them from here: weights are read once.
  std::vector<std::pair<std::string, std::string>> model_digests{};
  std::vector<std::filesystem::path> digested_files{};
  bool full_cache = false;  ///< keeps everything, so others are compared with it

  /// One of `labels`; empty where there is none.
  [[nodiscard]] std::string label(std::string_view key) const;
  /// "shapes_next_scale, snapkv, 10 %": what tells it apart in a list.
  [[nodiscard]] std::string title() const;
  /// The policy, fresh, with rows tied where the budget says so and the images are guided.
  [[nodiscard]] std::unique_ptr<Policy> policy() const;
  [[nodiscard]] int64_t images() const;
  /// Of image 0 .. images() - 1, the replicas of a prompt one after the other.
  [[nodiscard]] const Prompt& prompt_of(uint64_t image) const;
  /// Its number in files and its seed; neither depends on how many images are asked for.
  [[nodiscard]] uint64_t number_of(uint64_t image) const;
  [[nodiscard]] uint64_t seed_of(uint64_t image) const;
  /// The hash that the point would have had, when the batch, the numbers of images and the metrics
  /// were part of it, with those of `config` and equal numbers as `config` spells them. Empty where
  /// that asks for prompts that are not there.
  [[nodiscard]] std::string former_hash(const ConfigNode& config) const;
  /// `setting_hash` as it would be with equal numbers as `config` spells them.
  [[nodiscard]] std::string setting_hash_spelt_as(const ConfigNode& config) const;
  /// Tokens per (layer, head) holds going into the last step, on average; the same of a full cache.
  [[nodiscard]] double kept_tokens() const;
  [[nodiscard]] double full_tokens() const;
  /// What result.h5 keeps about it.
  [[nodiscard]] PointInfo info(const std::string& manifest_json, int64_t token_bytes) const;
};

/// The points of a command line and where their results belong.
struct PointList {
  std::vector<Point> points{};
  std::string results_folder{};   ///< hydra.sweep.dir or hydra.run.dir
  bool folder_is_chosen = false;  ///< by name=, by hydra's dir, or by an experiment's name
  int64_t duplicates = 0;         ///< points left out because another one is the same
  /// What a single point makes no use of, to be said: the rest of the sweep that its configuration
  /// defines, a budget under a policy that keeps everything.
  std::vector<std::string> notes{};
  /// Points left out, each with the reason: under infeasible=skip because their policy cannot meet
  /// their budget (the nearest feasible one is named), by hydra.sweeper.filter, or because an
  /// earlier block of hydra.sweeper.blocks makes them.
  std::vector<std::string> infeasible{};
};

enum class PointIdentity {
  kNone,   ///< no hashes, no files read: plans
  kHashed  ///< hashes over config, weights and prompts; reads and digests the weight files
};

/// Expands, composes and validates every point before any of them runs: schema, model, policy,
/// budget, prompts. Each config once, grouped by model, the full cache first within a model.
/// Throws Error(kConfig) naming the point for what the user got wrong, Error(kInput) for weights or
/// prompts that cannot be read. Nothing is written.
PointList list_points(
    const ComposeRequest& request,
    const std::string& root,
    PointIdentity identity,
    std::shared_ptr<const ComponentRegistry> components = std::make_shared<ComponentRegistry>());

/// The same of these points, each by all of its overrides, instead of those that `request` asks
/// for: a sweep that a command makes up itself.
PointList list_points(
    ComposeRequest request,
    const std::vector<std::vector<std::string>>& grid,
    const std::string& root,
    PointIdentity identity,
    std::shared_ptr<const ComponentRegistry> components = std::make_shared<ComponentRegistry>());

/// A resolved configuration whose paths no longer depend on where they were written.
struct SettledConfig {
  ConfigNode config{};
  std::vector<std::string> overrides{};  ///< as the user wrote them
};

/// A point of each, in this order, checked and hashed likewise. References are found by what the
/// configurations alone say. Throws as list_points().
PointList points_of_configs(std::vector<SettledConfig> configs,
                            const std::string& root,
                            std::shared_ptr<const ComponentRegistry> components);

/// Says the notes of a list on standard error.
void say_notes(const PointList& list);

}  // namespace kvscope
