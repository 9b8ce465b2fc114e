#include "experiments/commands/attention/attention_stability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/first_images.h"
#include "analysis/attention/selectivity.h"
#include "core/base/error.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/tables/table.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

struct Calibration {
  AttentionRecord record{};
  LayerRoles roles{};
};

std::vector<Calibration> read_all(const AttentionStabilityOptions& options) {
  std::vector<Calibration> all;
  for (const std::filesystem::path& file : options.files) {
    Calibration one{.record = read_attention(file)};
    if (options.files.size() == 1) {
      for (const char* name : {"mass.step", "mass.history_top"}) {
        static_cast<void>(of_image(one.record, name, 0));  // that it is there of every image
      }
      for (int64_t images = 1; images < one.record.images; images *= 2) {
        AttentionRecord first = of_first_images(one.record, images);
        LayerRoles roles = layer_roles(first, step_groups(first), options.drafters);
        all.push_back({.record = std::move(first), .roles = std::move(roles)});
      }
    }
    if (!all.empty() && (one.record.steps != all.front().record.steps ||
                         one.record.layers != all.front().record.layers)) {
      throw Error(ErrorKind::kInput, fmt::format("{}: is of another model or image size than {}",
                                                 file.string(), options.files.front().string()));
    }
    one.roles = layer_roles(one.record, step_groups(one.record), options.drafters);
    all.push_back(std::move(one));
  }
  std::ranges::stable_sort(all, {}, [](const Calibration& one) { return one.record.images; });
  return all;
}

TableRow row_of(const Calibration& one, const Calibration& most) {
  int64_t both = 0;
  int64_t either = 0;
  double largest = 0;
  double sum = 0;
  int64_t pairs = 0;
  for (size_t pair = 0; pair < one.roles.role.size(); ++pair) {
    const bool here = one.roles.role[pair] == LayerRole::kDrafter;
    const bool there = most.roles.role[pair] == LayerRole::kDrafter;
    both += here && there ? 1 : 0;
    either += here || there ? 1 : 0;
    const double difference = std::abs(one.roles.z_score[pair] - most.roles.z_score[pair]);
    if (std::isnan(difference)) continue;
    largest = std::max(largest, difference);
    sum += difference;
    ++pairs;
  }
  const auto share = static_cast<double>(both) / static_cast<double>(std::max<int64_t>(either, 1));
  return {.cells = {TableCell::number(static_cast<double>(one.record.images)),
                    TableCell::number(static_cast<double>(one.roles.drafters)),
                    TableCell::number(share),
                    TableCell::number(sum / static_cast<double>(std::max<int64_t>(pairs, 1))),
                    TableCell::number(largest)}};
}

}  // namespace

int attention_stability_command(const AttentionStabilityOptions& options) {
  const std::vector<Calibration> all = read_all(options);
  if (all.size() < 2) {
    throw Error(ErrorKind::kConfig,
                "attention stability compares records, or one with its own first images: expected "
                "several files, or several images");
  }
  const Calibration& most = all.back();
  Table table;
  table.title = fmt::format("Roles of {} by the number of images they are calibrated with",
                            most.record.model);
  table.columns = {
      {.header = "images", .decimals = 0},
      {.header = "drafters", .decimals = 0},
      {.header = "same drafters",
       .decimals = 3,
       .help = "intersection over union with those of the most images"},
      {.header = "mean |dZ|", .decimals = 4, .help = "difference of Z-scores from those"},
      {.header = "largest |dZ|", .decimals = 4}};
  for (const Calibration& one : all) table.rows.push_back(row_of(one, most));
  if (options.json) {
    print_json({{"table", table_json(table)}});
  } else {
    fmt::print("{}", console_table(table, console_style()));
  }
  return 0;
}

}  // namespace kvscope
