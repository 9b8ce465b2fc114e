#include "kernels/linear/few_rows.h"

namespace kvscope {

RowProductsBody row_products() {
  static const bool wide = __builtin_cpu_supports("avx512f") != 0 &&
                           __builtin_cpu_supports("avx512bw") != 0 &&
                           __builtin_cpu_supports("avx512vl") != 0;
  return wide ? row_products_avx512 : row_products_avx2;
}

}  // namespace kvscope
