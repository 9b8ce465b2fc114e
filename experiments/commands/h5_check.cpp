#include "experiments/commands/h5_check.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/json_output.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/result_check.h"
#include "experiments/results/result_file.h"
#include "experiments/results/result_schema.h"

namespace kvscope {
namespace {

/// What a file was found to be.
struct Finding {
  std::string text{};
  bool is_whole = false;
};

std::string schema_of(const std::filesystem::path& file) {
  const hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kRead);
  if (!opened.root().has_attribute("schema")) return "";
  const hdf5::AttributeValue value = opened.root().attribute("schema");
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

/// Files of the results that are not there or cannot be read.
int64_t missing_images(const std::filesystem::path& file, const ResultFile& result) {
  int64_t missing = 0;
  for (const ImageRow& row : result.rows) {
    if (!stored_image(image_path(file.parent_path(), row.image_index))) ++missing;
  }
  return missing;
}

Finding result_finding(const std::filesystem::path& file) {
  const ResultFile result = read_result(file);
  const PointInfo& point = result.point;
  std::string text =
      fmt::format("results of point {} ({} of {}, {}), version {}: {} of {} images",
                  short_hash(point), point.label("policy"), point.label("model"),
                  point.label("budget"), result.schema_version, result.rows.size(), point.images);
  const int64_t missing = missing_images(file, result);
  if (missing > 0) text += fmt::format(", {} of their PNGs missing or damaged", missing);
  if (!result.finished) text += ", unfinished: kvscope run goes on with them";
  return {.text = text, .is_whole = result.finished && result.has_all() && missing == 0};
}

Finding attention_finding(const std::filesystem::path& file) {
  const AttentionRecord record = read_attention(file);
  std::string names;
  for (const auto& [name, array] : record.arrays) names += (names.empty() ? "" : ", ") + name;
  return {.text = fmt::format(
              "attention of {}: {}, {} layers x {} heads x {} steps; {}{}",
              record.model.empty() ? "a model" : record.model, record.images_text(), record.layers,
              record.heads, record.steps.size(), names,
              record.is_complete() ? "" : "; the command that records it goes on with it"),
          .is_whole = record.is_complete()};
}

Finding finding_of(const std::filesystem::path& file) {
  try {
    // The library is not given what a digest refuses.
    if (seal_of(file) == Seal::kBroken) {
      return {.text = "damaged: its bytes are not those that were written"};
    }
    const std::string schema = schema_of(file);
    if (schema == kResultSchema) return result_finding(file);
    if (schema == kAttentionSchema) return attention_finding(file);
    return {.text = schema.empty() ? "an HDF5 file that says no kvscope schema"
                                   : fmt::format("an HDF5 file of schema '{}'", schema)};
  } catch (const Error& error) {
    return {.text = error.what()};
  }
}

}  // namespace

int h5_check_command(std::span<const std::filesystem::path> files, bool json) {
  bool all_whole = true;
  nlohmann::ordered_json found = nlohmann::ordered_json::array();
  for (const std::filesystem::path& file : files) {
    const Finding finding = finding_of(file);
    if (json) {
      found.push_back(
          {{"file", file.string()}, {"whole", finding.is_whole}, {"finding", finding.text}});
    } else {
      fmt::print("{}: {}: {}\n", file.string(), finding.is_whole ? "whole" : "not whole",
                 finding.text);
    }
    all_whole = all_whole && finding.is_whole;
  }
  if (json) print_json({{"files", std::move(found)}});
  return all_whole ? 0 : Error(ErrorKind::kInput, "").exit_code();
}

void register_h5(const CommandRegistrar& registrar) {
  const CommandRegistrar group = registrar.group("h5", "what HDF5 files of kvscope hold: check");
  const auto files = std::make_shared<std::vector<std::filesystem::path>>();
  const auto json = std::make_shared<bool>(false);
  CLI::App& command = group.add("check", "what is in files, and whether they are whole",
                                [=] { return h5_check_command(*files, *json); });
  add_json_flag(command, *json);
  command.add_option("files", *files, "result.h5, result.h5.part, attention.h5")->required();
}

}  // namespace kvscope
