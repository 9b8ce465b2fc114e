#include "experiments/commands/results/paper_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "core/base/atomic_file.h"
#include "core/base/byte_size.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/override.h"
#include "core/config/sweep.h"
#include "experiments/report/page.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/run_keys.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

/// One cell with the table's defaults filled in.
class Cell {
 public:
  Cell(const ConfigNode& defaults, const ConfigNode& own, size_t index)
      : where_(fmt::format("table.cells.{}", index)), values_(defaults) {
    if (!own.is_map()) {
      throw Error(ErrorKind::kConfig, fmt::format("{}: expected keys and values", where_));
    }
    for (const ConfigEntry& entry : own.entries()) values_.set(entry.name, entry.value);
    Options options(where_, values_);
    read(options);
    options.finish();
    if (quantity_ != "kept_share" && !(unit_bytes() > 0)) {
      throw Error(ErrorKind::kConfig, fmt::format("{}.unit={}: {}; for another say unit_bytes too",
                                                  where_, unit_, suggestion(unit_, byte_units())));
    }
  }

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& policy() const { return policy_; }
  [[nodiscard]] const std::string& quantity() const { return quantity_; }
  [[nodiscard]] const std::string& unit() const { return unit_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] double unit_bytes() const {
    return unit_bytes_.value_or(bytes_of_unit(unit_).value_or(0));
  }
  [[nodiscard]] int64_t decimals() const { return decimals_; }
  [[nodiscard]] int64_t images() const { return images_; }
  [[nodiscard]] std::optional<double> published() const { return published_; }

  /// The command line of the cell's point.
  [[nodiscard]] std::vector<std::string> overrides() const {
    std::vector<std::string> list;
    if (!model_.empty()) list.push_back("model=" + model_);
    if (!policy_.empty()) list.push_back("policy=" + policy_);
    append_budget(values_.child("budget"), list);
    list.push_back(fmt::format("gen.batch={}", images_));
    list.insert(list.end(), overrides_.begin(), overrides_.end());
    return list;
  }
  /// Of the point whose number is taken off; empty: of none.
  [[nodiscard]] std::vector<std::string> minus() const {
    if (minus_.empty()) return {};
    std::vector<std::string> list = overrides();
    list.insert(list.end(), minus_.begin(), minus_.end());
    return list;
  }

 private:
  void read(Options& options) {
    const auto text = [&](const char* key, const char* help) {
      return options.word_or_null({.key = key, .help = help}).value_or("");
    };
    const auto list = [&](const char* key, const char* help) {
      return options.words({.key = key, .default_value = std::vector<std::string>{}, .help = help});
    };
    label_ = text("label", "first column of the row");
    model_ = text("model", "an option of the group");
    policy_ = text("policy", "an option of the group");
    static_cast<void>(options.value(
        {.key = "budget", .accepts = "keys of the budget group", .help = "of the point"}));
    images_ = options.integer(
        {.key = "images", .default_value = images_, .min = 1, .help = "images at once"});
    overrides_ = list("overrides", "more of the point's command line");
    minus_ = list("minus", "changes to the point whose number is taken off");
    quantity_ = options.word({.key = "quantity",
                              .default_value = quantity_,
                              .allowed = {"kv", "kept_share", "parameters", "none"},
                              .help = "what is planned"});
    published_ = options.number_or_null({.key = "published", .help = "the paper's number"});
    unit_ = options.word({.key = "unit", .default_value = unit_, .help = "of both numbers"});
    unit_bytes_ = options.number_or_null(
        {.key = "unit_bytes", .unit = "bytes", .help = "of a unit of another name"});
    decimals_ = options.integer({.key = "decimals",
                                 .default_value = decimals_,
                                 .min = 0,
                                 .max = 9,
                                 .help = "that the paper gives"});
    reason_ = text("reason", "why the numbers differ");
  }
  void append_budget(const ConfigNode* budget, std::vector<std::string>& list) const {
    if (budget == nullptr || budget->is_null()) return;
    if (!budget->is_map()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}.budget: expected {{tokens: 650}} or the like", where_));
    }
    for (const ConfigEntry& entry : budget->entries()) {
      list.push_back(fmt::format("budget.{}={}", entry.name, canonical_json(entry.value)));
    }
  }

  std::string where_;
  ConfigNode values_;
  std::string label_;
  std::string model_;
  std::string policy_;
  int64_t images_ = 1;
  std::vector<std::string> overrides_;
  std::vector<std::string> minus_;
  std::string quantity_ = "kv";
  std::optional<double> published_;
  std::string unit_ = "MiB";
  std::optional<double> unit_bytes_;
  int64_t decimals_ = 0;
  std::string reason_;
};

/// Plans command lines.
class Planner {
 public:
  explicit Planner(const ConfigArguments& arguments)
      : arguments_(arguments),
        components_(component_registry(arguments)),
        root_(data_root().string()) {
    arguments_.multirun = false;
  }

  Point point(const std::vector<std::string>& overrides, const Cell& cell) {
    ConfigArguments arguments = arguments_;
    arguments.overrides = overrides;
    try {
      return list_points(compose_request(arguments), root_, PointIdentity::kNone, components_)
          .points.front();
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: {}", cell.where(), error.what()));
    }
  }

 private:
  ConfigArguments arguments_;
  std::shared_ptr<const ComponentRegistry> components_;
  std::string root_;
};

double quantity_of(const Point& point, const Cell& cell) {
  const std::vector<StepInfo>& steps = point.facts.cache.steps;
  if (cell.quantity() == "parameters") {
    constexpr double kBytesInBf16 = 2;
    return static_cast<double>(point.facts.parameters) * kBytesInBf16 / cell.unit_bytes();
  }
  if (cell.quantity() == "kept_share") {
    return point.kept_tokens() /
           static_cast<double>(steps.back().first_token + steps.back().queries());
  }
  const auto last = static_cast<int64_t>(steps.size()) - 1;
  const int64_t rows = point.generation.rows(point.generation.batch);
  return static_cast<double>(point.plan.live_bytes(last, rows)) / cell.unit_bytes();
}

/// A number as it is printed with so many decimals, halves to even.
double rounded(double value, int64_t decimals) {
  return std::stod(fmt::format("{:.{}f}", value, decimals));
}

std::vector<TableColumn> columns() {
  constexpr int kShownDecimals = 3;
  return {{.header = "row", .align = Align::kLeft},
          {.header = "model", .align = Align::kLeft},
          {.header = "policy", .align = Align::kLeft},
          {.header = "tokens kept", .decimals = 1},
          {.header = "images", .decimals = 0},
          {.header = "planned", .decimals = kShownDecimals},
          {.header = "published"},
          {.header = "difference"},
          {.header = "unit", .align = Align::kLeft},
          {.header = "why", .align = Align::kLeft}};
}

/// Fills in a row and counts it.
void add_row(PaperMemory& result, const Cell& cell, Planner& planner) {
  const auto decimals = static_cast<int>(cell.decimals());
  const bool share = cell.quantity() == "kept_share";
  const std::string reason = cell.reason();
  TableRow row;
  row.cells.push_back(TableCell::text(cell.label()));
  row.cells.push_back(TableCell::text(cell.model()));
  row.cells.push_back(TableCell::text(cell.policy()));
  std::optional<double> value;
  if (cell.quantity() == "none") {
    if (reason.empty()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: quantity none needs a reason", cell.where()));
    }
    row.cells.push_back(TableCell::missing(reason));
    row.cells.push_back(TableCell::number(static_cast<double>(cell.images())));
    row.cells.push_back(TableCell::missing(reason));
  } else {
    const Point point = planner.point(cell.overrides(), cell);
    value = quantity_of(point, cell);
    if (const auto minus = cell.minus(); !minus.empty()) {
      *value -= quantity_of(planner.point(minus, cell), cell);
    }
    row.cells.push_back(TableCell::number(point.kept_tokens()));
    row.cells.push_back(TableCell::number(static_cast<double>(point.generation.batch)));
    row.cells.push_back(TableCell::number(*value));
    ++result.computed;
  }
  const std::optional<double> published = cell.published();
  row.cells.push_back(published ? TableCell::number(*published, -1, decimals)
                                : TableCell::missing("the paper has no number"));
  if (value && published) {
    const double difference = rounded(rounded(*value, decimals) - *published, decimals);
    row.cells.push_back(TableCell::number(difference, -1, decimals));
    if (difference == 0) ++result.as_published;
    if (difference != 0 && reason.empty()) {
      result.unexplained.push_back(fmt::format("{} ({}): planned {:.6g} {}, published {:.{}f}",
                                               cell.label(), cell.where(), *value, cell.unit(),
                                               *published, decimals));
    }
  } else {
    row.cells.push_back(TableCell::missing(reason.empty() ? "nothing to compare with" : reason));
  }
  row.cells.push_back(TableCell::text(share ? "of all tokens" : cell.unit()));
  row.cells.push_back(reason.empty() ? TableCell::text("") : TableCell::missing(reason));
  if (!reason.empty()) ++result.explained;
  result.table.rows.push_back(std::move(row));
}

Composition composed(const ConfigArguments& arguments) {
  ComposeRequest request = compose_request(arguments);
  if (arguments.multirun) {
    const std::vector<std::vector<std::string>> grid = expand_sweep(request);
    if (!grid.empty()) request.overrides = grid.front();
  }
  return compose(request);
}

/// A cell is a command line of its own: what stands on this one beside the choice of the experiment
/// would change nothing, without a word.
void check_overrides(const ConfigArguments& arguments) {
  if (arguments.multirun) {
    throw Error(ErrorKind::kConfig, "mode: plan makes one table; leave -m out");
  }
  for (const Override& override : parse_overrides(arguments.overrides)) {
    const std::string top = override.key.substr(0, override.key.find_first_of("./"));
    if (top == "experiment" || top == "table" || top == "hydra" || top == "name" || top == "mode") {
      continue;
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: the cells of this table say themselves what they plan, so this "
                            "would change nothing; add it to table.defaults.overrides, or copy the "
                            "experiment's file",
                            override.input));
  }
}

}  // namespace

bool is_paper_memory(const ConfigArguments& arguments) {
  const Composition composition = composed(arguments);
  const ConfigNode* mode = composition.config.child("mode");
  return mode != nullptr && mode->is_string() && mode->as_string() == "plan";
}

void refuse_for_paper_memory(const std::vector<std::string>& typed) {
  if (typed.empty()) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: a table of planned memory is no sweep and has no point for it; "
                          "expected the same command without",
                          fmt::join(typed, ", ")));
}

PaperMemory paper_memory(const ConfigArguments& arguments) {
  check_overrides(arguments);
  const ConfigNode config = composed(arguments).config;
  check_config(config, ConfigUse::kRun);
  static const ConfigNode kNoTable;
  const ConfigNode* table = config.child("table");
  Options options("table", table == nullptr ? kNoTable : *table);
  const std::string title =
      options.word({.key = "title", .default_value = "Planned memory", .help = "of the table"});
  const ConfigNode* shared = options.value(
      {.key = "defaults", .accepts = "keys of a cell", .help = "what the cells leave out"});
  const ConfigNode* cells =
      options.value({.key = "cells", .accepts = "list of cells", .help = "the rows"});
  options.finish();
  if (cells == nullptr || !cells->is_list()) {
    throw Error(ErrorKind::kConfig,
                "mode: plan needs table.cells, a list of what to plan, as "
                "configs/experiment/paper/scalekv_table1_memory.yaml has it");
  }
  const ConfigNode defaults = shared == nullptr || shared->is_null() ? ConfigNode::map() : *shared;
  PaperMemory result;
  result.table.title = title;
  result.table.columns = columns();
  Planner planner(arguments);
  for (size_t i = 0; i < cells->size(); ++i) {
    add_row(result, Cell(defaults, cells->items()[i], i), planner);
  }
  return result;
}

int paper_memory_command(const ConfigArguments& arguments, const std::string& command_line) {
  const PaperMemory result = paper_memory(arguments);
  const std::filesystem::path folder = composed(arguments).hydra.at("run.dir").as_string();
  const std::filesystem::path report = folder / "report";
  write_file_atomically(report / "table.csv", csv_table(result.table));
  write_file_atomically(report / "table.md", markdown_table(result.table));
  write_file_atomically(report / "table.tex", latex_table(result.table));
  const std::string outcome =
      fmt::format("{} cells: {} planned, {} of them as published, {} with a reason why not",
                  result.table.rows.size(), result.computed, result.as_published, result.explained);
  ReportPage page;
  page.title = result.table.title;
  page.subtitle = outcome;
  page.provenance.emplace_back("command", command_line);
  page.sections.push_back({.title = "Planned and published", .blocks = {result.table}});
  write_page(report / "index.html", page);
  fmt::print("{}\n{}\n{}\n", console_table(result.table, console_style()), outcome,
             (report / "index.html").string());
  for (const std::string& cell : result.unexplained) {
    say("differs without a reason: {}", cell);
  }
  return result.unexplained.empty() ? 0 : 1;
}

}  // namespace kvscope
