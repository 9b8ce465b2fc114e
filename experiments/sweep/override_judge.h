#pragma once

#include <string>
#include <vector>

#include "core/config/compose.h"
#include "policies/registry.h"

namespace kvscope {

/// Judges the overrides of a command line at the points they belong to. Of one point, an override
/// that nothing reads is an error. Of a sweep, a point that has no use for an override takes no
/// part in it (policy=full,snapkv policy.score.window=8), and what no point reads is the error.
class OverrideJudge {
 public:
  explicit OverrideJudge(bool is_sweep) : is_sweep_(is_sweep) {}

  /// Composes a point, in a sweep with those of request.overrides alone that it reads; the others
  /// leave the request. Throws Error(kConfig) as compose(), or where an override has nothing to act
  /// on.
  Composition compose(ComposeRequest& request,
                      ConfigRepository& repository,
                      const ComponentRegistry& components);
  /// When all points are composed: throws Error(kConfig) for overrides that none of them reads.
  void finish() const;

 private:
  struct Verdict {
    std::string key{};      ///< with prefix and package, as a sweep's axes are told apart
    std::string finding{};  ///< why a point has no use for it; empty: none was asked
    bool is_read = false;   ///< by some point
  };
  Verdict& verdict(const std::string& key);

  bool is_sweep_;
  std::vector<std::string> groups_{};  // of the folders, listed once
  std::vector<Verdict> verdicts_;      // in the order of the command line
};

}  // namespace kvscope
