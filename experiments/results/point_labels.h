#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"

namespace kvscope {

class ConfigNode;
struct PointSummary;
struct SweepSummary;

/// Dotted keys of a resolved config with their values as a command line has them: "gen.tau" -> "1".
/// A list of scalars is one value, "[1, 0.5]"; those of maps have a key an item
/// ("policy.protect.0").
using PointSettings = std::map<std::string, std::string, std::less<>>;

/// Every setting that can tell a point from another. Left out is what says how it was run but not
/// what: volatile keys (threads, workers, names of folders), the batch, and prose of a policy.
/// Labels of files without a config stand in for it ("seed" for gen.seed).
PointSettings point_settings(const PointInfo& point);

/// A setting that points differ in.
struct LabelKey {
  std::string key{};     ///< "gen.tau", or "model"
  std::string header{};  ///< the shortest end of it that no other setting has: "tau"
  bool operator==(const LabelKey&) const = default;
};

/// What rows need beside policy and budget to be told apart: "model" first where models differ,
/// then every setting that differs between points of one model. Those of a policy count where
/// points of the same policy differ in them, as its name says the rest; likewise those of a budget.
std::vector<LabelKey> differing_keys(const SweepSummary& sweep);

/// The point's value of it. Where its config has no such key: "null", which means the same, and
/// nothing for an option of a policy, which another policy need not have.
std::string label_value(const PointSummary& point, const LabelKey& key);

/// "snapkv", or "snapkv, tau 0.5": the policy and what else tells it apart.
std::string series_name(const PointSummary& point, const std::vector<LabelKey>& differing);

/// "snapkv 10 %", or "snapkv 10 %, tau 0.5"; a full cache has no budget.
std::string point_name(const PointSummary& point, const std::vector<LabelKey>& differing);

/// The budget as written; "100 %" of a full cache.
std::string budget_name(const PointInfo& point);

/// The hash that is the name of the point's folder.
std::string short_hash(const PointInfo& point);

/// "snapkv, 10 %": what a point's config says that it is of; empty where it does not say.
std::string policy_and_budget(const ConfigNode& config);

}  // namespace kvscope
