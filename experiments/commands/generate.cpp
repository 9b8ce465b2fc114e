#include "experiments/commands/generate.h"

#include <fmt/format.h>

#include <numeric>

#include "core/base/error.h"
#include "core/device/device.h"
#include "core/engine/kv_cache.h"
#include "core/image/png.h"
#include "experiments/sweep/point.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

std::filesystem::path numbered(const std::filesystem::path& out, size_t image, size_t images) {
  if (images == 1) return out;
  std::filesystem::path path = out;
  path.replace_filename(
      fmt::format("{}-{:06}{}", out.stem().string(), image, out.extension().string()));
  return path;
}

}  // namespace

int generate_command(const ConfigArguments& arguments, const std::filesystem::path& out) {
  if (arguments.multirun) {
    throw Error(ErrorKind::kConfig,
                "generate makes the images of one point; sweep with kvscope run");
  }
  const std::string root = data_root().string();
  const PointList list =
      list_points(compose_request(arguments), root, PointIdentity::kNone, part_registry(arguments));
  const Point& point = list.points.front();
  const at::Device device = open_device(point.config.at("device").as_string());
  const auto model = open_model(point.config.at("model"), root, device);
  const auto policy = point.policy();

  const auto images = static_cast<size_t>(point.images());
  const auto replicas = static_cast<size_t>(point.generation.replicas);
  for (size_t image = 0; image < images; ++image) {
    const Prompt& prompt = point.prompts[image / replicas];
    KvCache cache(point.plan, model->rows(1, point.generation.sampling), device);
    AttentionContext context{
        .cache = cache, .controller = policy.get(), .cuts = point.generation.cuts};
    std::vector<at::Generator> generators = {
        image_generator(point.generation.seed, prompt.id, image % replicas, device)};
    const std::vector<std::string> texts = {prompt.text};
    const GeneratedBatch made =
        model->generate(texts, point.generation.sampling, generators, context);
    const std::filesystem::path path = numbered(out, image, images);
    write_png(
        path, made.pictures.front(),
        {{"prompt", prompt.text}, {"seed", fmt::format("{}", generators.front().current_seed())}});
    const double seconds =
        std::accumulate(made.step_ms.begin(), made.step_ms.end(), made.text_ms + made.decode_ms) /
        1000;
    fmt::print("{}: \"{}\", {:.2f} s, KV cache at most {} bytes\n", path.string(), prompt.text,
               seconds, cache.peak_live_bytes());
  }
  return 0;
}

}  // namespace kvscope
