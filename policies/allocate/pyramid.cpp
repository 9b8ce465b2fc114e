#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/shares/pyramid_schedule.h"

namespace kvscope {
namespace {

/// PyramidKV (arXiv:2406.02069): lower layers keep more, on a line whose mean is the budget
/// (pyramid_schedule.h). Published for one prompt; here it is asked at every eviction, with all
/// tokens generated so far as the prompt and what protect refuses to drop as the window.
class Pyramid : public Allocate {
 public:
  Pyramid(bool in_doubles, double beta) : in_doubles_(in_doubles), beta_(beta) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const CacheGeometry& geometry = request.geometry;
    const int64_t budget = request.budget_tokens;
    const int64_t generated = request.step.first_token + request.step.queries();
    std::vector<int64_t> of_layer(static_cast<std::size_t>(geometry.layers), budget);
    if (generated > budget && request.protected_tokens < budget) {
      of_layer = line(budget, request.protected_tokens, geometry.layers, generated);
    }
    return LayerHeadTokens::of_layers(of_layer, geometry.heads);
  }

 private:
  [[nodiscard]] std::vector<int64_t> line(int64_t budget,
                                          int64_t window,
                                          int64_t layers,
                                          int64_t generated) const {
    return in_doubles_
               ? pyramid_doubles(static_cast<double>(budget), window, layers, generated, beta_)
               : pyramid_integers(budget, window, layers, generated, static_cast<int64_t>(beta_));
  }

  bool in_doubles_;
  double beta_;
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_pyramid(Options& options) {
  const bool in_doubles =
      options.word({.key = "form",
                    .default_value = "integers",
                    .allowed = {"integers", "doubles"},
                    .help = "integers: KVCache-Factory's schedule, whose slope is rounded down "
                            "(the planner lowers its budget until the mean fits) and whose beta is "
                            "whole; doubles: kvpress', whose counts include the window"}) ==
      "doubles";
  constexpr double kLargestBeta = 1e6;
  const double beta =
      options.number({.key = "beta",
                      .default_value = 20,
                      .min = 1,
                      .max = kLargestBeta,
                      .help = "the last layer keeps a beta-th of the mean, window not counted"});
  if (!in_doubles && beta != std::floor(beta)) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: {} is no whole number; nearest feasible: {}",
                                                options.place("beta"), beta, std::floor(beta)));
  }
  return std::make_unique<Pyramid>(in_doubles, beta);
}

}  // namespace kvscope
