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

MakePart<Score> make_score_window_attention;

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

/// Checks scores and passes the decision on.
class ScoreAndKeep : public CacheController {
 public:
  ScoreAndKeep(Policy& policy, Score& score) : policy_(policy), score_(score) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    if (layer_step.step.index == 1) {
      scores = score_.score(layer_step);
      kept = policy_.decide(layer_step);
      return kept;
    }
    return std::nullopt;
  }
  at::Tensor scores;
  std::optional<KeptIndices> kept;

 private:
  Policy& policy_;
  Score& score_;
};

TEST(GoldenSnapKv, KeepsWhatThePublishedCodeKeeps) {
  const SafetensorsReader file = golden("snapkv");
  int compared = 0;
  for (const json& entry : json::parse(file.metadata("cases"))) {
    const auto name = entry["name"].get<std::string>();
    const json& params = entry["params"];
    if (!params.contains("B")) continue;  // a list of counts
    SCOPED_TRACE(name);
    const auto form = params["form"].get<std::string>();
    const int64_t window = params["w"];
    const int64_t tokens = params["N"];
    const int64_t head_dim = params["D"];
    const int64_t rows = params["B"];
    const int64_t heads = params["H"];
    const int64_t count = form == "R-KV"      ? params["budget"].get<int64_t>()
                          : form == "kvpress" ? params["n_kept"].get<int64_t>()
                                              : std::min(params["C"].get<int64_t>(), tokens);
    const ConfigNode config =
        yaml("{name: snapkv, protect: window, score: {name: window_attention, window: " +
             std::to_string(window) + ", kernel: " + params["kernel"].dump() +
             ", pool: " + (params["pool"] == "maxpool" ? "maximum" : "average") +
             ", softmax: " + (form == "R-KV" ? "past" : "all") + "}}");
    const auto policy = make_policy(config);
    PartOptions options("policy.score", *config.child("score"));
    const auto score = make_score_window_attention(options);

    // The published window queries are causal among themselves, as in a prefill.
    CacheGeometry geometry{.layers = 1,
                           .heads = heads,
                           .head_dim = head_dim,
                           .steps = next_scale_steps({{1, tokens - window}, {1, window}, {1, 1}})};
    geometry.steps[1].kind = StepKind::kPrefill;
    const std::vector<int64_t> before(static_cast<std::size_t>(heads), tokens - window);
    const std::vector<int64_t> after(static_cast<std::size_t>(heads), count);
    KvCache cache(Plan(geometry, {{before}, {after}, {after}}), rows, at::kCPU);
    ScoreAndKeep controller(*policy, *score);
    AttentionContext context{.cache = cache, .controller = &controller};
    controller.begin_generation(rows);
    const at::Tensor keys = file.tensor(name + ".k");
    const at::Tensor past = keys.slice(2, 0, tokens - window).contiguous();
    const at::Tensor recent = keys.slice(2, tokens - window).contiguous();
    const at::Tensor none;
    const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
    attend(context, geometry.steps[0], 0, past, past, past, scale, none, none);
    attend(context, geometry.steps[1], 0, file.tensor(name + ".q_window").contiguous(), recent,
           recent, scale, none, none);

    const at::Tensor kept = file.tensor(name + ".kept");
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t head = 0; head < heads; ++head) {
        if (controller.kept) {
          EXPECT_EQ((*controller.kept)[row * heads + head], indices(kept[row][head]));
        } else {
          EXPECT_EQ(kept.size(2), tokens);
        }
      }
    }
    if (file.contains(name + ".scores")) {
      at::Tensor expected = file.tensor(name + ".scores").slice(2, 0, tokens - window);
      if (form != "KVCache-Factory") {
        expected = expected * static_cast<double>(window);  // means there, sums here
      }
      const at::Tensor ours = controller.scores.slice(2, 0, tokens - window);
      EXPECT_LT((ours - expected).abs().max().item<double>(), 1e-5);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 13);
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
