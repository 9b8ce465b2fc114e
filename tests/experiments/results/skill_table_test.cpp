#include "experiments/results/skill_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

PointSummary point_of(const std::string& policy,
                      const std::vector<std::pair<std::string, double>>& images) {
  PointSummary point;
  point.result.point.labels = {{"model", "m"}, {"policy", policy}, {"budget", "10 %"}};
  point.result.point.point_hash = std::string(64, 'a');
  for (const auto& [skill, value] : images) {
    ImageRow row{.skill = skill};
    row.metrics["shape_eval"] = value;
    point.result.rows.push_back(row);
  }
  return point;
}

double value_at(const Table& table, size_t row, size_t column) {
  return std::get<TableNumber>(table.rows[row].cells[column].content).value;
}

TEST(SkillTable, SharesOfEverySkillAndOfAll) {
  SweepSummary sweep;
  sweep.points = {point_of("a", {{"colour", 1}, {"count", 0}, {"colour", 0}, {"count", 0}}),
                  point_of("b", {{"count", 1}, {"position", 1}})};
  const Table table = skill_table(sweep, metric_named("shape_eval"));
  std::vector<std::string> headers;
  for (const TableColumn& column : table.columns) headers.push_back(column.header);
  EXPECT_THAT(headers, testing::ElementsAre("point", "colour", "count", "position", "all"));
  EXPECT_EQ(value_at(table, 0, 1), 0.5);
  EXPECT_EQ(value_at(table, 0, 2), 0.0);
  EXPECT_EQ(value_at(table, 0, 4), 0.25);
  EXPECT_EQ(value_at(table, 1, 4), 1.0);
  EXPECT_TRUE(std::holds_alternative<TableMissing>(table.rows[0].cells[3].content));
}

TEST(SkillTable, PromptsWithoutSkillsAreSaid) {
  SweepSummary sweep;
  sweep.points = {point_of("a", {{"", 1}})};
  EXPECT_THAT([&] { skill_table(sweep, metric_named("shape_eval")); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("test no named skills")));
}

}  // namespace
}  // namespace kvscope
