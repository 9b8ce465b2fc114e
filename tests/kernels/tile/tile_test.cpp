#include "kernels/tile/tile.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/tile/exp.h"

namespace kvscope {
namespace {

float exp_of(float x) {
  return _mm256_cvtss_f32(exp8(_mm256_set1_ps(x)));
}

TEST(Exp8, RelativeErrorAndEdges) {
  for (double x = -87.2; x < 87.9; x += 0.0137) {
    const auto argument = static_cast<float>(x);
    const double expected = std::exp(static_cast<double>(argument));
    EXPECT_NEAR(exp_of(argument) / expected, 1.0, 3e-7) << argument;
  }
  EXPECT_EQ(exp_of(0.0F), 1.0F);
  EXPECT_EQ(exp_of(-INFINITY), 0.0F);
  EXPECT_EQ(exp_of(-1000.0F), 0.0F);
  EXPECT_TRUE(std::isnan(exp_of(NAN)));
  EXPECT_TRUE(std::isfinite(exp_of(INFINITY)));
}

TEST(Tile, EveryRemainderOfRowsColumnsAndDepthMultipliesRight) {
  for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 11, 12}) {
    for (const int64_t n : {1, 8, 9, 16, 17, 31, 40}) {
      for (const int64_t depth : {1, 7, 8, 9, 24}) {
        const at::Tensor a = at::randn({m, depth});
        const at::Tensor keys = at::randn({n, depth});
        const at::Tensor panels = at::full({round_to_panel(n) * depth}, NAN);
        const at::Tensor c = at::full({m, round_to_panel(n)}, NAN);
        const RowSource rows{keys.const_data_ptr(), at::kFloat, depth};
        pack_transposed(rows, n, depth, panels.mutable_data_ptr<float>());
        multiply_panels(a.const_data_ptr<float>(), depth, m, panels.const_data_ptr<float>(), depth,
                        round_to_panel(n), c.mutable_data_ptr<float>(), round_to_panel(n), false);
        EXPECT_TRUE(at::allclose(c.narrow(1, 0, n), at::matmul(a, keys.t()), 1e-4, 1e-5));
        EXPECT_EQ(c.slice(1, n).abs().sum().item<float>(), 0.0F) << "padding";

        const at::Tensor value_panels = at::full({round_to_panel(depth) * n}, NAN);
        const at::Tensor weights = at::randn({m, n});
        const at::Tensor out = at::ones({m, round_to_panel(depth)});
        pack_rows(rows, n, depth, value_panels.mutable_data_ptr<float>());
        multiply_panels(weights.const_data_ptr<float>(), n, m, value_panels.const_data_ptr<float>(),
                        n, round_to_panel(depth), out.mutable_data_ptr<float>(),
                        round_to_panel(depth), true);
        EXPECT_TRUE(
            at::allclose(out.narrow(1, 0, depth), at::matmul(weights, keys) + 1, 1e-4, 1e-5));
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
