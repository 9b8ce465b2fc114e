#pragma once

#include <filesystem>
#include <string>

#include "analysis/attention/head_sparsity.h"

namespace kvscope {

struct AttentionHeadsOptions {
  std::filesystem::path file{};  ///< attention.h5 of `kvscope attention record`
  std::filesystem::path out{};   ///< profile; empty: FILE-heads.yaml
  std::string metric = "auto";   ///< sparsity | variance; auto: the one that the record has
  Neighbourhood neighbourhood{};
  double threshold = kSpatialSparsity;  ///< tau of the sparsity
  double share = kContextualShare;      ///< alpha: heads of lowest variance that are contextual
  bool json = false;                    ///< one JSON object instead of text
};

/// Types of heads from a record: SSD's sparsity (spatial below the threshold, semantic from it on)
/// or HACK's variance (the lowest ones are contextual). Prints shares by layer, writes the profile
/// that `policy.allocate.heads` of ssd and hack and its like take, and draws it as
/// FILE-heads.svg and .png. Returns the exit code. Throws Error(kInput) for a missing or damaged
/// record, or one without the metric, Error(kConfig) for options out of range.
int attention_heads_command(const AttentionHeadsOptions& options);

}  // namespace kvscope
