// Every statistic against its oracle on what small random models of all families really attend to:
// with a full cache and with a policy, one image and three.
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/attention/attention_recorder.h"
#include "core/config/yaml.h"
#include "core/models/image_model.h"
#include "policies/registry.h"
#include "tests/analysis/attention/oracles/all_oracles.h"

namespace kvscope {
namespace {

ConfigNode yaml(const std::string& text) {
  return load_yaml_text(text, "test");
}

struct Family {
  const char* name;
  const char* model;
  double cfg;
  std::vector<std::string> prompts;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"infinity",
       "{name: tiny, family: infinity, weights: random, tokenizer: null, precision: fp32, "
       "layers: null, transformer: {depth: 2, chunks: 1, width: 32, heads: 2, "
       "feed_forward_width: 64, text_channels: 128, text_max_tokens: 8, code_bits: 4, "
       "patchify: false}, picture: {schedule: [[1, 1], [2, 2], [3, 3], [4, 4]]}, "
       "vae: {base_channels: 4, channel_multipliers: [1, 1, 1], encoder_blocks: 1, "
       "norm_groups: 2}, text: {d_model: 128, layers: 1, heads: 2, d_kv: 8, d_ff: 16, "
       "vocabulary: 45}}",
       3,
       {"a red circle", "two blue squares", "green"}},
      {"var",
       "{name: tiny, family: var, weights: random, precision: fp32, layers: null, "
       "transformer: {depth: 2, width: 30, heads: 3, classes: 7, shared_ada_lin: false}, "
       "picture: {schedule: [[1, 1], [2, 2], [3, 3], [4, 4]]}, "
       "vae: {base_channels: 4, channel_multipliers: [1, 2], encoder_blocks: 1, norm_groups: 4, "
       "codes: 300, code_width: 6}}",
       1.5,
       {"3", "0", "6"}},
      {"janus",
       "{name: tiny, family: janus, weights: random, tokenizer: null, precision: fp32, "
       "layers: null, transformer: {depth: 2, width: 32, heads: 2, feed_forward_width: 48, "
       "text_max_tokens: 24, text_vocabulary: 300}, picture: {grid: [4, 4]}, "
       "vq: {codebook_entries: 31, code_width: 5, base_channels: 8, channel_multipliers: [1, 2], "
       "norm_groups: 4}}",
       3,
       {"a", "two blue", "green one"}},
      {"llamagen",
       "{name: tiny, family: llamagen, weights: random, precision: fp32, layers: null, "
       "transformer: {depth: 2, width: 32, heads: 2, kv_heads: 1, feed_forward_width: 48, "
       "conditioning: class, classes: 9}, picture: {grid: [4, 4]}, "
       "vq: {codebook_entries: 31, code_width: 5, base_channels: 8, channel_multipliers: [1, 2], "
       "norm_groups: 4}}",
       2,
       {"3", "0", "8"}},
  };
  return all;
}

struct Case {
  Family family;
  bool has_policy;
  size_t images;
};

class StatisticsOnModels : public testing::TestWithParam<Case> {};

std::unique_ptr<Policy> policy_of(const Case& test) {
  if (!test.has_policy) return nullptr;
  return make_policy(
      yaml("{allocate: {name: uniform}, score: {name: window_attention, window: 2, pool: average, "
           "kernel: 1, softmax: all}, protect: {name: window}, store: {name: as_is}, "
           "schedule: {name: each_scale}, read: all}"));
}

TEST_P(StatisticsOnModels, EqualTheirOracles) {
  const auto& [family, has_policy, images] = GetParam();
  const auto model = open_model(yaml(family.model), "", at::kCPU);
  const CacheGeometry& geometry = model->geometry();
  const SamplingOptions sampling{.cfg = {family.cfg}, .tau = {1}, .top_k = 20};
  const std::span<const std::string> prompts = std::span(family.prompts).first(images);
  const AttentionRecorderOptions options{.statistics = {kAllStatistics},
                                         .top_keys = 3,
                                         .sampled_queries = 3,
                                         .window_queries = 4,
                                         .raw_heads = {{1, 0}},
                                         .raw_queries = 5,
                                         .query_maps = true,
                                         .map_query_side = 2,
                                         .map_key_side = 3};
  const std::unique_ptr<Policy> policy = policy_of(GetParam());
  const Plan plan =
      policy == nullptr ? full_plan(geometry) : policy->plan(geometry, Budget::of_tokens(7));
  KvCache cache(plan, model->rows(static_cast<int64_t>(images), sampling), at::kCPU);
  AttentionRecorder recorder(options);
  NaiveObserver observer;
  AttentionContext context{
      .cache = cache, .controller = policy.get(), .observers = {&recorder, &observer}};
  std::vector<at::Generator> generators;
  for (uint64_t seed = 1; seed <= images; ++seed) {
    generators.push_back(at::detail::createCPUGenerator(seed));
  }
  const GeneratedBatch made = model->generate(prompts, sampling, generators, context);
  NaiveRecording seen{.geometry = geometry,
                      .options = options,
                      .scale = observer.scale,
                      .images = static_cast<int64_t>(images),
                      .padding = observer.padding,
                      .generations = {observer.generation}};
  std::vector<std::vector<StepAgreement>> agreements;
  for (const auto& tokens : made.tokens) {
    agreements.push_back(token_agreement(geometry, tokens, made.tokens.front()));
  }
  recorder.add_agreements(agreements);
  seen.agreements.push_back(std::move(agreements));
  const AttentionRecord record = recorder.record();
  EXPECT_GT(record.arrays.size(), 30);
  for (const auto& one : record.arrays) {
    const std::string& name = one.first;
    const NamedArray& array = one.second;
    const Oracle oracle = oracles().at(name);
    int64_t unequal = 0;
    each_place(array, [&](size_t at, const Where& where) {
      const double expected = oracle(seen, where);
      const double error = std::abs(array.values[at] - expected);
      if (error <= 1e-5 * std::max(1.0, std::abs(expected))) return;
      ++unequal;
      EXPECT_LE(unequal, 1) << name << "[" << at << "] is " << array.values[at] << ", expected "
                            << expected;
    });
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Family& family : families()) {
    for (const bool has_policy : {false, true}) {
      for (const size_t images : {1, 3}) all.push_back({family, has_policy, images});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    EveryFamily, StatisticsOnModels, testing::ValuesIn(cases()), [](const auto& one) {
      return std::string(one.param.family.name) +
             (one.param.has_policy ? "_compressed_" : "_full_") + std::to_string(one.param.images);
    });

}  // namespace
}  // namespace kvscope
