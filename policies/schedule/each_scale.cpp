#include "policies/component.h"

namespace kvscope {
namespace {

/// After every step that is stored: every scale of a next-scale model, the prefill and every token
/// of a next-token model.
class EachScale : public Schedule {
 public:
  [[nodiscard]] bool runs_after(const CacheGeometry& /*geometry*/,
                                const StepInfo& /*step*/) const override {
    return true;
  }
};

}  // namespace

std::unique_ptr<Schedule> make_schedule_each_scale(Options& /*options*/) {
  return std::make_unique<EachScale>();
}

}  // namespace kvscope
