#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/attention/selectivity.h"
#include "core/engine/plan.h"

namespace kvscope {

/// What an ablation hides from attention, one thing after the other (policies/read/mask.cpp).
enum class HiddenKind : uint8_t {
  kLayer,  ///< one layer's whole history
  kHead,   ///< one head's whole history: of every layer, or of the layer named beside it
  kScale,  ///< the tokens of one scale, from all later ones; a line of a next-token image
  kStep,   ///< the whole history, from the queries of one scale or line
  kSink,   ///< the first 1, 2, 4, ... tokens
  kText,   ///< the condition tokens of a next-token model
};

/// One thing along an axis.
struct HiddenValue {
  std::string label{};  ///< "3", "16..31"
  std::string shape{};  ///< "4x4" of a scale, else empty
  int64_t first = 0;    ///< layer, head, first step, or how many tokens
  int64_t last = 0;     ///< the last step of a line; else `first`
};

struct AblationAxis {
  HiddenKind kind{};
  std::string name{};  ///< as --over has it
  std::vector<HiddenValue> values{};
};

/// Everything that is hidden in turn: the values of one axis, or all pairs of two.
class Ablation {
 public:
  /// `over`: one or two names between commas, as "layer,scale". `line_tokens`: see step_groups().
  /// Throws Error(kConfig) for words that are none, axes that do not go together, and what the
  /// model does not have.
  Ablation(const std::string& over, const CacheGeometry& geometry, int64_t line_tokens = 0);

  [[nodiscard]] const std::vector<AblationAxis>& axes() const { return axes_; }
  [[nodiscard]] bool is_over(HiddenKind first, HiddenKind second) const;
  [[nodiscard]] int64_t size() const;
  /// The value of thing 0 .. size() - 1 on an axis; the last axis runs fastest.
  [[nodiscard]] const HiddenValue& value(int64_t thing, size_t axis) const;
  /// Whether there is anything to hide: a step does not see scales that come after it.
  [[nodiscard]] bool hides(int64_t thing) const;
  /// What of policy=masked hides it, as a command line says it.
  [[nodiscard]] std::vector<std::string> overrides(int64_t thing) const;
  /// "layer_scale": of names of files.
  [[nodiscard]] std::string stem() const;

 private:
  std::vector<AblationAxis> axes_;
};

/// Every name of an axis with what it hides, for help.
std::string ablation_axis_help();

}  // namespace kvscope
