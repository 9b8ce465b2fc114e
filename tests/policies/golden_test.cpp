// Decisions of published code (golden data of KVCache-Factory, kvpress, R-KV and StreamingLLM).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/checkpoint/safetensors.h"
#include "policies/part.h"
#include "policy_run.h"
#include "test_paths.h"

namespace kvscope {

namespace {

using nlohmann::json;

SafetensorsReader golden(const std::string& name) {
  return SafetensorsReader(std::filesystem::path(kSourceDir) / "tests/golden/policies" /
                           (name + ".safetensors"));
}

std::vector<int64_t> indices(const at::Tensor& line) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < line.size(0); ++i) {
    if (line[i].item<int64_t>() >= 0) values.push_back(line[i].item<int64_t>());  // -1 pads
  }
  return values;
}

/// Indices into the original sequence after every chunk.
std::vector<std::vector<int64_t>> streaming_trace(const std::vector<int64_t>& chunks,
                                                  int64_t sinks,
                                                  int64_t budget) {
  std::vector<std::pair<int64_t, int64_t>> schedule;
  for (const int64_t tokens : chunks) schedule.emplace_back(1, tokens);
  schedule.emplace_back(1, 1);
  CacheGeometry geometry{
      .layers = 1, .heads = 1, .head_dim = 4, .steps = next_scale_steps(schedule)};
  auto policy = policy_from(
      "{allocate: uniform, score: recency, protect: {name: sinks, "
      "sink_tokens: " +
      std::to_string(sinks) + "}}");
  const Plan plan = policy->plan(
      geometry, Budget::of_tokens(std::min(budget, full_cache_tokens(geometry.steps))));
  KvCache cache(plan, 1, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy.get()};
  policy->begin_generation(1);
  std::vector<std::vector<int64_t>> kept;
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) break;
    const LayerInputs in = layer_inputs(geometry, step, 0, {0});
    attend(context, step, 0, in.q, in.k, in.v, 1.0, in.hidden, in.query_weight);
    kept.emplace_back();
    for (const TokenOrigin& origin : cache.origins(0, 0, 0)) {
      kept.back().push_back(geometry.steps[origin.step].first_token + origin.token);
    }
  }
  return kept;
}

TEST(GoldenStreamingLlm, KeepsWhatThePublishedCodeKeeps) {
  const SafetensorsReader file = golden("streamingllm");
  int compared = 0;
  for (const json& entry : json::parse(file.metadata("cases"))) {
    const auto name = entry["name"].get<std::string>();
    const json& params = entry["params"];
    SCOPED_TRACE(name);
    const at::Tensor kept = file.tensor(name + ".kept");
    if (params.contains("chunks") && params["mode"] == "__call__ after every append") {
      const int64_t sinks = params["start"];
      const auto ours =
          streaming_trace(params["chunks"], sinks, sinks + params["recent"].get<int64_t>());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_EQ(ours[i], indices(kept[static_cast<int64_t>(i)])) << "chunk " << i;
      }
      ++compared;
    } else if (params.contains("form")) {
      const int64_t tokens = params["N"];
      const auto form = params["form"].get<std::string>();
      const int64_t budget = form == "R-KV"      ? params["budget"].get<int64_t>()
                             : form == "kvpress" ? params["n_kept"].get<int64_t>()
                                                 : params["C"].get<int64_t>();
      const int64_t sinks = form == "R-KV"      ? params["first_tokens"].get<int64_t>()
                            : form == "kvpress" ? params["n_sink"].get<int64_t>()
                                                : budget - params["w"].get<int64_t>();
      EXPECT_EQ(streaming_trace({tokens}, sinks, budget).front(), indices(kept));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 14);
}

}  // namespace
}  // namespace kvscope
