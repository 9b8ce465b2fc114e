#include "experiments/commands/attention/attention_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/attention_recorder.h"
#include "analysis/attention/statistic_registry.h"
#include "core/base/error.h"
#include "core/device/device.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/progress.h"
#include "experiments/terminal.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

void check_raw_heads(const AttentionRecordOptions& options, const CacheGeometry& cache) {
  for (const auto& [layer, head] : options.raw_heads) {
    if (layer >= 0 && layer < cache.layers && head >= 0 && head < cache.heads) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("--raw {}:{}: the model has layers 0..{} and heads 0..{}", layer, head,
                            cache.layers - 1, cache.heads - 1));
  }
}

}  // namespace

int attention_record_command(const ConfigArguments& arguments,
                             const AttentionRecordOptions& options) {
  if (arguments.multirun) {
    throw Error(ErrorKind::kConfig, "attention record takes one point, not a sweep (-m)");
  }
  const std::string root = data_root().string();
  const PointList list = list_points(compose_request(arguments), root, PointIdentity::kHashed,
                                     component_registry(arguments));
  const Point& point = list.points.front();
  const AttentionRecorderOptions what{.guided = point.generation.rows(1) == 2,
                                      .statistics = options.statistics,
                                      .top_keys = options.top_keys,
                                      .sampled_queries = options.sampled_queries,
                                      .raw_heads = options.raw_heads};
  check_raw_heads(options, point.facts.cache);
  static_cast<void>(chosen_statistics(what, point.facts.cache.steps));  // before a weight is loaded
  const at::Device device = open_device(point.config.at("device").as_string());
  const auto model = open_model(point.config.at("model"), root, device);
  AttentionRecorder recorder(what);
  const InterruptGuard interrupt(
      "stopping as soon as the batch at work is done; Ctrl-C again stops at once");
  Progress progress(1, point.images(), takes_escapes(STDERR_FILENO));
  progress.begin_point(0, "attention of " + point.facts.name, point.images(), 0);
  GenerationSession session(point, *model, device);
  for (int64_t first = 0; first < point.images(); first += point.generation.batch) {
    if (interrupt.requested()) return 130;
    std::vector<uint64_t> images(
        static_cast<size_t>(std::min(point.generation.batch, point.images() - first)));
    std::iota(images.begin(), images.end(), static_cast<uint64_t>(first));
    std::vector<std::string> texts;
    for (const uint64_t image : images) texts.push_back(point.prompt_of(image).text);
    recorder.add_prompts(texts);
    session.make(images, {&recorder});
    progress.add_images(0, std::ssize(images));
  }
  progress.end_point(0, "recorded");
  AttentionRecord record = recorder.record();
  record.model = point.facts.name;
  record.point_hash = point.hash;
  write_attention(options.out, record);
  fmt::print("{}: {} images, {} layers x {} heads x {} steps\n", options.out.string(),
             record.images, record.layers, record.heads, record.steps.size());
  return 0;
}

}  // namespace kvscope
