#include "policies/component.h"

namespace kvscope {
namespace {

/// StreamingLLM's positions (arXiv:2309.17453): keys are turned at each use to 0, 1, 2, ... along
/// the cache, with the query behind them, so that gaps close.
class InCachePositions : public Read {
 public:
  [[nodiscard]] KeyPositions positions() const override { return KeyPositions::kInCache; }
  /// The order of the tokens is where they stand.
  [[nodiscard]] bool order_free() const override { return false; }
};

}  // namespace

/// Only for models whose positions are a line (1-D RoPE, as Janus has): others refuse to generate.
std::unique_ptr<Read> make_read_in_cache_positions(Options& /*options*/) {
  return std::make_unique<InCachePositions>();
}

}  // namespace kvscope
