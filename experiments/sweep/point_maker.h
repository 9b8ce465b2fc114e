#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/config/compose.h"
#include "core/config/repository.h"
#include "core/config/sweep_blocks.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/override_judge.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/prompt_files.h"

namespace kvscope {

/// Why a sweep goes on without a point.
struct PointLeftOut {
  std::string message;
};

/// Composes and checks single points; keeps what they share.
class PointMaker {
 public:
  /// `request` must outlive this.
  PointMaker(const ComposeRequest& request,
             std::string root,
             std::shared_ptr<const ComponentRegistry> components);

  /// The point of these overrides, unidentified; sets the folder of `list` where it has none.
  /// Throws PointLeftOut where the sweep is to go on without it, Error(kConfig) for what the user
  /// got wrong.
  Point make(const std::vector<std::string>& overrides, PointList& list);
  /// That of a configuration which is composed already. Its numbers stay as they are spelt, so that
  /// it has the hash that it had.
  Point make(SettledConfig settled);
  /// Reads what the hash is taken over: weights and prompts. Throws Error(kInput) where a file is
  /// missing.
  void identify(Point& point);

  /// What the last composed config defines as its sweep, in order.
  [[nodiscard]] const std::vector<std::string>& swept_keys() const { return swept_keys_; }
  [[nodiscard]] int64_t plans_made() const { return plans_made_; }
  /// When all points are made: refuses overrides that none of them reads.
  void judge_overrides() const { judge_.finish(); }

 private:
  /// What a configuration's own sweep set was written in that configuration: paths are relative to
  /// its folder.
  void say_where_swept(const std::vector<SweeperParameter>& swept, ConfigNode& config) const;
  static bool sets_key(const Override& override, const std::string& key);
  /// Throws PointLeftOut where hydra.sweeper.filter says so.
  void leave_out_filtered(const Composition& composition) const;
  /// Before the readers of single groups, who know their own keys alone.
  void refuse_misspelt_keys(const ConfigNode& config) const;
  /// What a policy plans, and the files that it read for it.
  struct PlanOfPoint {
    PlannedBudget budget;
    std::vector<std::filesystem::path> policy_files;
  };
  /// The plan of a point, one for all of the same model, policy and budget. A few are kept: such
  /// points stand near each other, and a plan of hundreds of steps takes megabytes.
  const PlanOfPoint& plan_of(const Point& point, int64_t image_rows);
  /// Of all prompts that the point's are the first ones of.
  const std::string& source_digest(const Point& point);
  /// Those of the point's model; the models of a sweep are few.
  const ModelFacts& facts_of(const Point& point);
  /// In what the point departs from the recipe that it names.
  void record_departures(Point& point);
  /// "auto" becomes what it stands for here, so that it is the same point as that.
  void settle_device(ConfigNode& config);
  /// What older policies say in another slot counts as if it stood where it belongs.
  void update_policy(ConfigNode& config);
  /// Before anything is read: what is misspelt, of another type, or out of range.
  void check(ConfigNode& config);
  Point of_checked(SettledConfig settled);
  static void read_groups(Point& point);
  static void check_groups(const ConfigNode& config);

  const ComposeRequest& request_;
  std::string root_;
  std::shared_ptr<const ComponentRegistry> components_;
  ConfigRepository repository_;
  std::vector<std::string> groups_ = repository_.groups();
  OverrideJudge judge_;
  std::vector<std::string> swept_keys_;
  FileDigests files_;
  std::shared_ptr<PromptFiles> prompt_files_ = std::make_shared<PromptFiles>();
  std::map<std::string, PlanOfPoint> plans_;
  std::map<std::string, ModelFacts> facts_;  // by model_key_
  std::map<std::string, std::string> source_digests_;
  std::string model_key_;  // of the point that is being made
  int64_t plans_made_ = 0;
  std::string auto_device_;     // asked once
  std::set<std::string> said_;  // about spellings, once each
};

}  // namespace kvscope
