#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/attend.h"
#include "core/engine/plan.h"
#include "policies/head_kinds.h"
#include "policies/selection.h"

namespace kvscope {

/// The six questions a policy answers. A policy is a choice of one component a slot (several for
/// protect); a component knows nothing of the others, and none of them touches storage.

/// What allocate may look at: everything is known before a weight is loaded.
struct AllocationRequest {
  const CacheGeometry& geometry;
  const StepInfo& step;
  int64_t budget_tokens;             ///< C: tokens that a (layer, head) may hold on average
  int64_t protected_tokens;          ///< most that protect refuses to drop after this step
  const LayerHeadTokens& available;  ///< held before the eviction, this step's tokens included
};

/// What a component that shares a layer's tokens among its heads looks at: one row at an eviction.
struct ShareRequest {
  const LayerStep& layer_step;
  int64_t row;
  int64_t total;                       ///< tokens of all heads together, as planned
  const at::Tensor& scores;            ///< [heads, tokens] fp32 on the CPU, of the longest head
  std::span<const int64_t> available;  ///< [heads] tokens of [history | current step]
  /// [heads][available] 1 where the token must stay.
  std::span<const std::vector<uint8_t>> is_protected;
};

/// Slot 1: how many tokens stay in each (layer, head) after a step.
class Allocate {
 public:
  virtual ~Allocate() = default;
  /// A count above what is available means "all of them". Where the budget is the full cache,
  /// every component keeps everything.
  [[nodiscard]] virtual LayerHeadTokens tokens(const AllocationRequest& request) const = 0;
  /// What the kinds of head_types() mean, or those of tokens() alone where scores learn nothing of
  /// them.
  [[nodiscard]] virtual HeadKinds head_kinds() const { return HeadKinds::kAlike; }
  /// Kinds of heads that tokens() tells apart; scores find them in the plan.
  [[nodiscard]] virtual HeadTypes head_types(const CacheGeometry& /*geometry*/) const { return {}; }
  /// kLayer: tokens() says only what the heads of a layer hold together, and share() divides it.
  [[nodiscard]] virtual CountScope scope() const { return CountScope::kHead; }
  /// Tokens of each head of a row; their sum is `total`, each at least what is protected and at
  /// most what is available. Called under kLayer only.
  [[nodiscard]] virtual std::vector<int64_t> share(const ShareRequest& /*request*/) const {
    return {};
  }
  /// What the plan cannot show by itself, a line each: where it differs from what was asked for,
  /// and why. `budget_tokens` as in the requests that `plan` was made from.
  [[nodiscard]] virtual std::vector<std::string> remarks(const Plan& /*plan*/,
                                                         int64_t /*budget_tokens*/) const {
    return {};
  }
};

/// Most tokens of [history | current step] that any (row, head) of the layer holds.
int64_t max_tokens(const LayerStep& layer_step);

/// Least tokens the plan keeps in any (layer, head) after the current step: the `most` of
/// Score::window.
int64_t tightest_count(const LayerStep& layer_step);

/// Condition tokens: those of the prefill, padding included; 0 for a next-scale model.
int64_t condition_tokens(const std::vector<StepInfo>& steps);

/// Slot 2: how important each token is.
class Score {
 public:
  virtual ~Score() = default;
  virtual void begin_generation(int64_t /*rows*/) {}
  /// Sees every layer of every stored step before anything of it is evicted, whether or not
  /// anything is: here a score gathers what it remembers (attention so far, the last queries).
  virtual void observe(const LayerStep& /*layer_step*/) {}
  /// What became of the layer's [history | current step]: `kept` indices, or null for everything.
  /// Comes after every observe(); what was remembered of dropped tokens goes with them.
  virtual void settle(const LayerStep& /*layer_step*/, const KeptIndices* /*kept*/) {}
  /// Importance [rows, heads, tokens] of [history | current step], floating point, larger stays;
  /// where heads hold different numbers of tokens, the tail of the shorter ones is not read.
  [[nodiscard]] virtual at::Tensor score(const LayerStep& layer_step) const = 0;
  /// Observation window: positions in the generation, ascending, of the tokens that the score looks
  /// from; up to the current step's last token, and in earlier steps where the score remembers
  /// their queries. `most` is what the tightest head may keep: a window that would fill it shrinks,
  /// so that small budgets stay feasible (observation_window.h).
  [[nodiscard]] virtual std::vector<int64_t> window(const StepInfo& /*step*/,
                                                    int64_t /*most*/) const {
    return {};
  }
  /// Whether the score is the same wherever a head's tokens lie: it goes by their origins where it
  /// goes by order at all. Where every component says so, evictions fill holes
  /// (core/engine/hole_filling.h); otherwise tokens stay in the order of their positions. Equal
  /// scores go by position either way.
  [[nodiscard]] virtual bool order_free() const { return false; }
  /// Kinds of heads that the score goes by (Plan::head_type): an allocation that tells other ones
  /// apart, or none, is refused.
  [[nodiscard]] virtual HeadKinds head_kinds() const { return HeadKinds::kAlike; }
  /// Whether of the tokens that may be dropped the newest stay.
  [[nodiscard]] virtual bool keeps_newest() const { return false; }
  /// Which of equal scores stays.
  [[nodiscard]] virtual TieRule ties() const { return TieRule::kEarlier; }
};

/// One (row, head)'s tokens at the moment of an eviction: [history | current step].
struct TokenView {
  const CacheGeometry& geometry;         ///< of the whole generation
  const StepInfo& step;                  ///< the current one
  std::span<const TokenOrigin> history;  ///< in storage order: see Score::order_free
  std::span<const int64_t> window;       ///< Score::window of this step: positions
  int64_t padding = 0;                   ///< positions of the row's padding (KvCache::set_padding)

  [[nodiscard]] int64_t available() const {
    return static_cast<int64_t>(history.size()) + step.queries();
  }
  /// Which step wrote token `index`.
  [[nodiscard]] const StepInfo& writer(int64_t index) const {
    const auto held = static_cast<int64_t>(history.size());
    return index < held ? geometry.steps[history[index].step] : step;
  }
  /// Position of token `index` in the whole generation, padding counted, as in `window`.
  [[nodiscard]] int64_t padded_position(int64_t index) const {
    const auto held = static_cast<int64_t>(history.size());
    return index < held ? position_of(history[index], geometry.steps)
                        : step.first_token + index - held;
  }
  /// Likewise, padding not counted: below 0 for padding.
  [[nodiscard]] int64_t position(int64_t index) const { return padded_position(index) - padding; }
};

/// Slot 3: what is never dropped.
class Protect {
 public:
  virtual ~Protect() = default;
  /// Sets `is_protected` [available] to 1 where a token must stay; never clears it.
  virtual void mark(const TokenView& view, std::span<uint8_t> is_protected) const = 0;
  /// Whether mark() goes by origins alone: see Score::order_free.
  [[nodiscard]] virtual bool order_free() const { return false; }
  /// Most tokens mark() can set after `step`, given the size of the observation window.
  [[nodiscard]] virtual int64_t max_tokens(const CacheGeometry& geometry,
                                           const StepInfo& step,
                                           int64_t window_tokens) const = 0;
};

/// Slot 4: in which format tokens are stored.
class Store {
 public:
  virtual ~Store() = default;
  /// The geometry with the types that are really stored.
  [[nodiscard]] virtual CacheGeometry format(CacheGeometry geometry) const = 0;
};

/// Slot 5: after which steps tokens are evicted.
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// Asked only about steps that are stored. Tokens pile up between the evictions, and the plan
  /// counts them: only after an eviction is the budget met.
  [[nodiscard]] virtual bool runs_after(const CacheGeometry& geometry,
                                        const StepInfo& step) const = 0;
};

/// What a step of a layer reads of a row's held tokens, over all heads, where not all of them.
struct ReadTokens {
  int64_t seen = 0;    ///< at most: it may depend on which tokens are held
  int64_t copied = 0;  ///< exactly: what attention reads is a copy of so many
};

/// Slot 6: what a step attends to of what is stored, and at which positions. What is stored, and
/// what the plan counts, is not its business. A step always sees itself.
class Read {
 public:
  virtual ~Read() = default;
  /// Throws Error(kConfig) where the options do not fit a model, before anything runs.
  virtual void check(const CacheGeometry& /*geometry*/) const {}
  virtual void begin_generation(int64_t /*rows*/) {}
  /// Sees every layer of every stored step before it is decided about, as Score::observe().
  virtual void observe(const LayerStep& /*layer_step*/) {}
  /// Where cached keys stand when a query looks at them. A LayerStep has q and keys where they
  /// stood when they were made: another answer goes with scores that do not look at attention.
  [[nodiscard]] virtual KeyPositions positions() const { return KeyPositions::kOriginal; }
  /// Held tokens that a layer's step sees, indices ascending per (row, head); nullopt: all of them.
  [[nodiscard]] virtual std::optional<KeptIndices> seen(const KvCache& /*cache*/,
                                                        const StepInfo& /*step*/,
                                                        int64_t /*layer*/) const {
    return std::nullopt;
  }
  /// How many those are, known before the run; nullopt exactly where seen() answers that.
  [[nodiscard]] virtual std::optional<ReadTokens> tokens(const Plan& /*plan*/,
                                                         const StepInfo& /*step*/,
                                                         int64_t /*layer*/) const {
    return std::nullopt;
  }
  /// Whether tokens() counts on a score that keeps the newest tokens: others are refused.
  [[nodiscard]] virtual bool needs_newest() const { return false; }
  /// Whether ReadTokens::copied are all tokens that are held, whichever are seen.
  [[nodiscard]] virtual bool copies_all_held() const { return false; }
  /// Whether what is seen is the same wherever a head's tokens lie: see Score::order_free.
  [[nodiscard]] virtual bool order_free() const { return true; }
};

}  // namespace kvscope
