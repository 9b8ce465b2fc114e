#include <algorithm>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The budget C in every layer and head.
class AllocateUniform : public Allocate {
 public:
  explicit AllocateUniform(bool leaves_room) : leaves_room_(leaves_room) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    return {geometry.layers, geometry.heads, tokens_of_head(request)};
  }

 private:
  [[nodiscard]] int64_t tokens_of_head(const AllocationRequest& request) const {
    const std::vector<StepInfo>& steps = request.geometry.steps;
    const auto next = static_cast<std::size_t>(request.step.index) + 1;
    const int64_t budget = request.budget_tokens;
    if (!leaves_room_ || next >= steps.size() || budget >= full_cache_tokens(steps)) return budget;
    return std::max({budget - steps[next].queries(), request.protected_tokens, int64_t{1}});
  }

  bool leaves_room_;
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_uniform(Options& options) {
  const bool leaves_room =
      options.word(
          {.key = "room",
           .default_value = "none",
           .allowed = {"none", "next_step"},
           .help = "next_step: evict to the budget less what the next step adds, so that no query "
                   "sees more than it (evict_for_space of StreamingLLM, arXiv:2309.17453); a step "
                   "of more tokens than that still finds what is protected"}) == "next_step";
  return std::make_unique<AllocateUniform>(leaves_room);
}

}  // namespace kvscope
