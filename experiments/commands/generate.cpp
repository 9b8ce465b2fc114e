#include "experiments/commands/generate.h"

#include <fmt/format.h>

#include <memory>
#include <numeric>
#include <string_view>

#include "core/base/error.h"
#include "core/base/output_check.h"
#include "core/device/device.h"
#include "core/image/png.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/unread_overrides.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/prompt_check.h"
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
  // It makes an image at a time, in this process, and measures nothing.
  constexpr std::string_view kUnread[] = {"gen.batch", "launcher",   "launch", "workers",
                                          "metrics",   "infeasible", "name",   "hydra.run.dir"};
  refuse_unread_overrides(arguments.overrides, "generate", kUnread);
  const std::string root = data_root().string();
  PointList list = list_points(compose_request(arguments), root, PointIdentity::kNone,
                               component_registry(arguments));
  say_notes(list);
  check_prompts(list.points, root);
  constexpr std::string_view kEndings[] = {".png"};
  check_output(out, "--out", kEndings);
  const Point& point = list.points.front();
  const at::Device device = open_device(point.config.at("device").as_string());
  const auto model = open_model(point.config.at("model"), root, device);
  GenerationSession session(point, *model, device);

  const auto images = static_cast<uint64_t>(point.images());
  for (uint64_t image = 0; image < images; ++image) {
    const MadeBatch batch = session.make({&image, 1});
    const GeneratedBatch& made = batch.generated;
    const Prompt& prompt = *batch.prompts.front();
    const std::filesystem::path path = numbered(out, image, images);
    PngText texts = {{"prompt", prompt.text}, {"seed", fmt::format("{}", batch.seeds.front())}};
    if (prompt.cut_tokens > 0) {
      texts["prompt_cut_tokens"] = fmt::format("{}", prompt.cut_tokens);
    }
    write_png(path, made.images.front(), texts);
    const double seconds = std::accumulate(made.times.step_ms.begin(), made.times.step_ms.end(),
                                           made.text_ms + made.decode_ms) /
                           1000;
    fmt::print("{}: \"{}\", {:.2f} s, KV cache at most {} bytes\n", path.string(), prompt.text,
               seconds, session.cache().peak_live_bytes());
  }
  return 0;
}

void register_generate(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto out = std::make_shared<std::filesystem::path>("kvscope.png");
  CLI::App& command = registrar.add("generate", "images of a prompt, without a results folder",
                                    [=] { return generate_command(*config, *out); });
  add_config_options(command, *config);
  command.add_option("-o,--out", *out, "PNG file");
}

}  // namespace kvscope
