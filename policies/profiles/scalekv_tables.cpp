#include "policies/profiles/scalekv_tables.h"

namespace kvscope {

const ScaleKvBudget* ScaleKvTable::after(int64_t step) const {
  if (step + 2 > budgets.back().next_scale) {
    return &budgets.back();
  }
  for (const ScaleKvBudget& budget : budgets) {
    if (budget.next_scale == step + 2) {
      return &budget;
    }
  }
  return nullptr;
}

ScaleKvTable released_2b_table() {
  return {.layers = 32,
          .base_tokens = 650,
          .budgets = {{9, {0, 23}, 920, 632, 921},
                      {10, {0, 23}, 1490, 594, 1496},
                      {11, {0, 23}, 2510, 526, 2514},
                      {12, {0, 23}, 4100, 420, 4110},
                      {13, {0}, 6385, 465, 6404}}};
}

ScaleKvTable released_8b_table() {
  return {.layers = 40,
          .base_tokens = 650,
          .budgets = {{9, {0, 1, 2}, 909, 629, 921},
                      {10, {0, 1, 2}, 1464, 584, 1485},
                      {11, {0, 1, 2}, 2463, 503, 2488},
                      {12, {0, 1, 2}, 4054, 374, 4063},
                      {13, {0, 1, 2}, 6200, 200, 6358}}};
}

}  // namespace kvscope
