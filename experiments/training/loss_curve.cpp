#include "experiments/training/loss_curve.h"

#include <map>
#include <vector>

#include "experiments/report/chart.h"

namespace kvscope {
namespace {

constexpr const char* kColumns[] = {"step", "loss", "pictures_per_second", "gradient_norm"};

hdf5::File open_or_create(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return hdf5::File::open(path, hdf5::File::Access::kAppend);
  hdf5::File file = hdf5::File::create(path);
  for (const char* column : kColumns) {
    file.root().create_dataset(column, {.element = hdf5::Element::kF64});
  }
  file.flush();  // every object is on disk before the first row
  return file;
}

}  // namespace

LossCurve::LossCurve(const std::filesystem::path& path)
    : path_(path),
      file_(open_or_create(path)),
      step_(file_.root().dataset("step")),
      loss_(file_.root().dataset("loss")),
      rate_(file_.root().dataset("pictures_per_second")),
      norm_(file_.root().dataset("gradient_norm")) {}

void LossCurve::append(const TrainingProgress& progress) {
  step_.append_unflushed(std::vector{static_cast<double>(progress.step)});
  loss_.append_unflushed(std::vector{progress.loss});
  rate_.append_unflushed(std::vector{progress.pictures_per_second});
  norm_.append_unflushed(std::vector{progress.gradient_norm});
  file_.flush();
}

void LossCurve::draw(const std::string& title) const {
  const std::vector<double> steps = step_.read<double>();
  const std::vector<double> losses = loss_.read<double>();
  std::map<double, double> newest;  // a resumed training repeats the steps after its last save
  for (size_t i = 0; i < std::min(steps.size(), losses.size()); ++i) newest[steps[i]] = losses[i];
  ChartSeries series{.name = "loss", .markers = false};
  for (const auto& [step, loss] : newest) series.points.push_back({.x = step, .y = loss});
  Chart chart;
  chart.title = title;
  chart.x.label = "step";
  chart.y.label = "loss";
  chart.y.remark = "lower is better";
  chart.y.scale = AxisScale::kLogarithmic;
  chart.series = {series};
  const Canvas canvas = draw_chart(chart);
  canvas.write_svg(std::filesystem::path(path_).replace_extension(".svg"), chart_info(chart));
  canvas.write_png(std::filesystem::path(path_).replace_extension(".png"), chart_info(chart), 2.0);
}

}  // namespace kvscope
