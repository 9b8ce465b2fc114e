#include "experiments/results/long_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

Table by_budget(const std::string& unit, TableCell cell) {
  return {.columns = {{.header = "policy"}, {.header = "10 %", .unit = unit}},
          .rows = {{.cells = {TableCell::text("h2o"), std::move(cell)}}}};
}

TEST(LongTable, NamesMetricAndUnitInEveryRowAndHasTheSameColumnsWhateverTheNumbers) {
  LongTable all;
  all.add(row_per_cell(by_budget("dB", TableCell::between(2, 1, 3))), {"m", "r", "PSNR", "dB"});
  all.add(row_per_cell(by_budget("", TableCell::between(2, 1, 4))), {"m", "r", "SSIM", ""});
  all.add(row_per_cell(by_budget("", TableCell::missing("why"))), {"m", "r", "CLIP", ""});
  const std::string header =
      "model,recipe,metric,unit,policy,budget,value,value 95 % confidence interval from,"
      "value 95 % confidence interval to,missing,not over all images\r\n";
  EXPECT_EQ(csv_table(all.table()), header +
                                        "m,r,PSNR,dB,h2o,10 %,2,1,3,,\r\n"
                                        "m,r,SSIM,,h2o,10 %,2,1,4,,\r\n"
                                        "m,r,CLIP,,h2o,10 %,,,,value: why,\r\n");
  LongTable plain;
  plain.add(row_per_cell(by_budget("dB", TableCell::number(2))), {"m", "r", "PSNR", "dB"});
  EXPECT_EQ(csv_table(plain.table()), header + "m,r,PSNR,dB,h2o,10 %,2,,,,\r\n");
}

TEST(LongTable, TablesOfAnotherKindAreRefused) {
  LongTable all;
  all.add({.columns = {{.header = "a"}}}, {});
  EXPECT_THROW(all.add({.columns = {{.header = "b"}}}, {}), Error);
}

}  // namespace
}  // namespace kvscope
