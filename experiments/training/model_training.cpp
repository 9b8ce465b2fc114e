#include "experiments/training/model_training.h"

#include <ATen/ATen.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "analysis/shapes/caption.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "experiments/training/loss_curve.h"

namespace kvscope {
namespace {

std::filesystem::path curve_path(const ModelTraining& training, const std::string& stage) {
  return training.folder / (stage + "_loss.h5");
}

}  // namespace

TrainingSchedule ModelTraining::schedule(const std::string& stage,
                                         const StageSettings& of_stage) const {
  return {.steps = of_stage.steps,
          .batch = of_stage.batch,
          .save_every_steps = settings.save_every_steps,
          .state_path = (folder / (stage + "_state.safetensors")).string(),
          .stop_asked = [&flag = stop] { return flag.load(); }};
}

TrainingReport ModelTraining::report(const std::string& stage,
                                     const StageSettings& of_stage) const {
  const auto curve = std::make_shared<LossCurve>(curve_path(*this, stage));
  const TrainingSchedule whole = schedule(stage, of_stage);
  return [curve, whole, stage](const TrainingProgress& progress) {
    const double seconds = static_cast<double>((whole.steps - progress.step) * whole.batch) /
                           std::max(1e-9, progress.images_per_second);
    spdlog::info("{} {}/{}  loss {:.5f}  {:.1f} images/s  {:.0f} min left", stage, progress.step,
                 whole.steps, progress.loss, progress.images_per_second, seconds / 60);
    curve->append(progress);
  };
}

void ModelTraining::draw_curve(const std::string& stage) const {
  LossCurve(curve_path(*this, stage)).draw(stage);
}

std::vector<std::string> all_shapes_captions() {
  std::vector<std::string> captions;
  for (const shapes::Skill skill : shapes::kSkills) {
    for (const std::string& caption : shapes::all_captions(skill)) captions.push_back(caption);
  }
  return captions;
}

FinishedModel finished_model(const ModelTraining& training) {
  const std::optional<std::string>& from = training.settings.start_from;
  if (!from) return {};
  FinishedModel model{.tensors = {}, .folder = training.root / *from};
  for (const auto& [name, tensor] : read_safetensors(model.folder / "model.safetensors")) {
    model.tensors.set(name, tensor.to(at::kFloat));
  }
  return model;
}

void export_model(const ModelTraining& training, const TensorMap& tensors) {
  TensorMap narrow;
  for (const auto& [name, tensor] : tensors) narrow.set(name, tensor.to(at::kCPU, at::kBFloat16));
  const std::filesystem::path path = training.folder / "model.safetensors";
  write_safetensors(path, narrow.entries(), {{"kind", "kvscope_model"}});
  spdlog::info("wrote {}", path.string());
}

}  // namespace kvscope
