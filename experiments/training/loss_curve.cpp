#include "experiments/training/loss_curve.h"

#include <algorithm>
#include <vector>

#include "core/hdf5/dataset.h"
#include "core/hdf5/file.h"
#include "experiments/report/figures/chart.h"

namespace kvscope {
namespace {

struct Column {
  const char* name;
  double (*value)(const TrainingProgress&);
};

constexpr Column kColumns[] = {
    {"step", [](const TrainingProgress& row) { return static_cast<double>(row.step); }},
    {"loss", [](const TrainingProgress& row) { return row.loss; }},
    {"pictures_per_second", [](const TrainingProgress& row) { return row.images_per_second; }},
    {"gradient_norm", [](const TrainingProgress& row) { return row.gradient_norm; }},
};

}  // namespace

LossCurve::LossCurve(std::filesystem::path path) : path_(std::move(path)) {
  if (!std::filesystem::exists(path_)) return;
  const hdf5::File file = hdf5::File::open(path_, hdf5::File::Access::kRead);
  const auto column = [&](const char* name) { return file.root().dataset(name).read<double>(); };
  const std::vector<double> steps = column("step");
  const std::vector<double> losses = column("loss");
  const std::vector<double> rates = column("pictures_per_second");
  const std::vector<double> norms = column("gradient_norm");
  const size_t rows = std::min({steps.size(), losses.size(), rates.size(), norms.size()});
  for (size_t i = 0; i < rows; ++i) {
    const auto step = static_cast<int64_t>(steps[i]);
    rows_[step] = {step, losses[i], rates[i], norms[i]};
  }
}

void LossCurve::append(const TrainingProgress& progress) {
  rows_[progress.step] = progress;
  write();
}

void LossCurve::write() const {
  std::filesystem::path part = path_;
  part += ".part";
  std::filesystem::remove(part);
  {
    hdf5::File file = hdf5::File::create(part);
    for (const Column& column : kColumns) {
      std::vector<double> values;
      for (const auto& [step, row] : rows_) values.push_back(column.value(row));
      file.root()
          .create_dataset(column.name, {.element = hdf5::Element::kF64})
          .append_unflushed(values);
    }
    file.flush();
  }
  std::filesystem::rename(part, path_);
}

void LossCurve::draw(const std::string& title) const {
  ChartSeries series{.name = "loss", .markers = false};
  for (const auto& [step, row] : rows_) {
    series.points.push_back({.x = static_cast<double>(step), .y = row.loss});
  }
  Chart chart;
  chart.title = title;
  chart.x.label = "step";
  chart.y.label = "loss";
  chart.y.remark = "lower is better";
  chart.y.scale = AxisScale::kLogarithmic;
  chart.series = {series};
  const Canvas canvas = draw_chart(chart);
  canvas.write(std::filesystem::path(path_).replace_extension(".svg"), chart_info(chart));
  canvas.write(std::filesystem::path(path_).replace_extension(".png"), chart_info(chart), 2.0);
}

}  // namespace kvscope
