// Cached generation against a naive forward in double over all scales at once, under a block-causal
// mask and from the published names; over random small shapes.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "core/models/shared/guidance.h"
#include "core/models/var/generate.h"

namespace kvscope::var {
namespace {

struct Shape {
  TransformerConfig transformer;
  VqvaeConfig vae;
  ScaleSchedule schedule;
  std::vector<int64_t> labels;
  std::vector<double> cfg;
};

Shape random_shape(uint32_t seed) {
  std::mt19937 random(seed);
  const auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % static_cast<uint32_t>(most - least + 1));
  };
  Shape shape;
  TransformerConfig& config = shape.transformer;
  config.depth = between(1, 4);
  config.heads = between(1, 5);
  config.width = config.heads * between(3, 21);
  config.classes = between(1, 9);
  config.shared_ada_lin = seed % 2 == 0;
  config.codes = between(7, 40);
  config.code_width = between(3, 9);
  shape.vae.codes = config.codes;
  shape.vae.code_width = config.code_width;
  shape.vae.phis = between(1, 4);
  const int64_t scales = between(1, 6);
  int64_t height = between(1, 2);
  int64_t width = between(1, 2);
  for (int64_t si = 0; si < scales; ++si) {
    shape.schedule.emplace_back(height, width);
    height += between(0, 3);
    width += between(0, 3);
  }
  for (int64_t image = between(1, 3); image > 0; --image) {
    shape.labels.push_back(between(0, config.classes));
  }
  if (seed % 3 == 0) {
    shape.cfg = {0.0};
  } else if (seed % 3 == 1) {
    shape.cfg = {3.5};
  } else {
    for (int64_t si = 0; si < scales; ++si) shape.cfg.push_back(si % 2 == 0 ? 0.0 : 1.75);
  }
  return shape;
}

// Weights that leave nothing near zero: biases and gates too.
TensorMap spiky(TensorMap tensors, at::Generator generator) {
  for (const auto& [name, tensor] : tensors) {
    tensor.add_(at::randn(tensor.sizes(), generator), 0.1);
    tensor.view({-1}).slice(0, 0, {}, 97).mul_(3);
  }
  return tensors;
}

at::Tensor in_double(const TensorMap& tensors, const std::string& name) {
  return tensors.at(name).to(at::kDouble);
}

at::Tensor affine(const TensorMap& tensors, const std::string& name, const at::Tensor& x) {
  return at::matmul(x, in_double(tensors, name + ".weight").t()) +
         in_double(tensors, name + ".bias");
}

at::Tensor normed(const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(-1, true);
  return centred / ((centred * centred).mean(-1, true) + 1e-6).sqrt();
}

at::Tensor tanh_gelu(const at::Tensor& x) {
  return 0.5 * x * (1 + at::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

// One head at a time: softmax(min(e^s, 100) q/|q| . k/|k| + mask) v.
at::Tensor naive_attention(const TensorMap& tensors,
                           const std::string& p,
                           int64_t heads,
                           const at::Tensor& x,
                           const at::Tensor& hidden_from) {
  const int64_t c = x.size(2);
  const int64_t d = c / heads;
  const at::Tensor qkv = at::matmul(x, in_double(tensors, p + "mat_qkv.weight").t());
  const at::Tensor log_scale = in_double(tensors, p + "scale_mul_1H11").flatten();
  std::vector<at::Tensor> out;
  for (int64_t head = 0; head < heads; ++head) {
    at::Tensor q =
        qkv.narrow(2, head * d, d) + in_double(tensors, p + "q_bias").narrow(0, head * d, d);
    at::Tensor k = qkv.narrow(2, c + head * d, d);
    const at::Tensor v = qkv.narrow(2, 2 * c + head * d, d) +
                         in_double(tensors, p + "v_bias").narrow(0, head * d, d);
    q = q / (q * q).sum(-1, true).sqrt();
    k = k / (k * k).sum(-1, true).sqrt();
    const double scale = std::min(std::exp(log_scale[head].item<double>()), 100.0);
    const at::Tensor scores =
        at::bmm(q * scale, k.transpose(1, 2))
            .masked_fill(hidden_from.unsqueeze(0), -std::numeric_limits<double>::infinity());
    out.push_back(at::bmm(at::softmax(scores, -1), v));
  }
  return affine(tensors, p + "proj", at::cat(out, 2));
}

// Logits [rows, all tokens, codes]; `inputs` [scales - 1][rows, tokens, code width].
at::Tensor naive_logits(const Shape& shape,
                        const TensorMap& tensors,
                        const std::vector<int64_t>& rows,
                        const std::vector<at::Tensor>& inputs) {
  const TransformerConfig& config = shape.transformer;
  const at::Tensor cond =
      in_double(tensors, "class_emb.weight").index_select(0, at::tensor(rows, at::kLong));
  std::vector<at::Tensor> parts;
  std::vector<int64_t> scale_of_token;
  for (size_t si = 0; si < shape.schedule.size(); ++si) {
    const int64_t count = shape.schedule[si].first * shape.schedule[si].second;
    const at::Tensor start = si == 0
                                 ? cond.unsqueeze(1) + in_double(tensors, "pos_start")
                                 : affine(tensors, "word_embed", inputs[si - 1].to(at::kDouble));
    parts.push_back(start + in_double(tensors, "lvl_embed.weight")[static_cast<int64_t>(si)]);
    scale_of_token.insert(scale_of_token.end(), static_cast<size_t>(count),
                          static_cast<int64_t>(si));
  }
  at::Tensor x = at::cat(parts, 1) + in_double(tensors, "pos_1LC");
  const at::Tensor scale = at::tensor(scale_of_token, at::kLong);
  const at::Tensor hidden_from = scale.unsqueeze(0) > scale.unsqueeze(1);
  const at::Tensor active = cond * at::sigmoid(cond);
  for (int64_t layer = 0; layer < config.depth; ++layer) {
    const std::string p = fmt::format("blocks.{}.", layer);
    const at::Tensor six =
        config.shared_ada_lin
            ? affine(tensors, "shared_ada_lin.1", active).view({-1, 1, 6, config.width}) +
                  in_double(tensors, p + "ada_gss")
            : affine(tensors, p + "ada_lin.1", active).view({-1, 1, 6, config.width});
    const auto part = [&](int64_t i) { return six.select(2, i); };
    x = x + part(0) * naive_attention(tensors, p + "attn.", config.heads,
                                      normed(x) * (1 + part(2)) + part(4), hidden_from);
    const at::Tensor inner =
        tanh_gelu(affine(tensors, p + "ffn.fc1", normed(x) * (1 + part(3)) + part(5)));
    x = x + part(1) * affine(tensors, p + "ffn.fc2", inner);
  }
  const at::Tensor two =
      affine(tensors, "head_nm.ada_lin.1", active).view({-1, 1, 2, config.width});
  return affine(tensors, "head", normed(x) * (1 + two.select(2, 0)) + two.select(2, 1));
}

struct Generated {
  Generation generation;
  std::vector<at::Tensor> logits;
};

Generated run(const Shape& shape,
              const TensorMap& tensors,
              const TensorMap& quantizer,
              const std::vector<uint64_t>& seeds) {
  const TransformerWeights weights =
      resolve_transformer(shape.transformer, shape.schedule, tensors);
  GenerateOptions options;
  options.cfg = shape.cfg;
  options.tau = {0.8};
  KvCache cache(
      full_plan(cache_geometry(shape.transformer.attention(), next_scale_steps(shape.schedule))),
      cache_rows(static_cast<int64_t>(shape.labels.size()), shape.cfg, kUnguided), at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Generator> generators;
  for (const uint64_t seed : seeds) generators.push_back(at::detail::createCPUGenerator(seed));
  Generated result;
  result.generation = generate(
      shape.transformer, weights, shape.vae, quantizer, shape.schedule, shape.labels, options,
      generators, context, [&](const StepResult& step) { result.logits.push_back(step.logits); });
  cache.audit(static_cast<int64_t>(shape.schedule.size()) - 1);
  return result;
}

class VarForward : public testing::TestWithParam<uint32_t> {};

TEST_P(VarForward, CachedGenerationEqualsTheUncachedForward) {
  const Shape shape = random_shape(GetParam());
  at::Generator generator = at::detail::createCPUGenerator(GetParam());
  const TensorMap tensors =
      spiky(random_transformer(shape.transformer, shape.schedule, generator), generator);
  const TensorMap quantizer =
      spiky(random_vqvae(quantizer_tensors(shape.vae), generator), generator);
  std::vector<uint64_t> seeds(shape.labels.size());
  std::iota(seeds.begin(), seeds.end(), uint64_t{40});
  const Generated cached = run(shape, tensors, quantizer, seeds);

  const auto images = static_cast<int64_t>(shape.labels.size());
  const bool doubled = guided(shape.cfg, 0.0);
  std::vector<int64_t> rows = shape.labels;
  if (doubled) rows.insert(rows.end(), shape.labels.size(), shape.transformer.classes);
  at::Tensor features = at::zeros({images, shape.transformer.code_width,
                                   shape.schedule.back().first, shape.schedule.back().second});
  std::vector<at::Tensor> inputs;
  for (size_t si = 0; si + 1 < shape.schedule.size(); ++si) {
    features = accumulate(shape.vae, quantizer, features, cached.generation.ids[si], shape.schedule,
                          static_cast<int64_t>(si));
    const at::Tensor input = next_input(features, shape.schedule, static_cast<int64_t>(si) + 1);
    inputs.push_back(doubled ? input.repeat({2, 1, 1}) : input);
  }
  const at::Tensor expected = naive_logits(shape, tensors, rows, inputs);

  int64_t begin = 0;
  for (size_t si = 0; si < shape.schedule.size(); ++si) {
    const int64_t count = shape.schedule[si].first * shape.schedule[si].second;
    const at::Tensor part = expected.narrow(1, begin, count);
    at::Tensor mixed = part.narrow(0, 0, images);
    if (doubled) {
      const double t =
          shape.cfg.size() > 1
              ? shape.cfg[si]
              : shape.cfg[0] * static_cast<double>(si) /
                    static_cast<double>(std::max<size_t>(shape.schedule.size() - 1, 1));
      mixed = (1 + t) * mixed - t * part.narrow(0, images, images);
    }
    const double largest = mixed.abs().max().item<double>();
    EXPECT_LE((cached.logits[si] - mixed / 0.8).abs().max().item<double>(),
              2e-4 * std::max(1.0, largest))
        << "scale " << si;
    begin += count;
  }
}

INSTANTIATE_TEST_SUITE_P(RandomShapes, VarForward, testing::Range(1U, 25U));

// Mixed labels together and each alone.
TEST(VarGenerate, AnImageDoesNotDependOnItsBatch) {
  Shape shape = random_shape(4);
  shape.transformer.heads = 3;
  shape.transformer.width = 60;
  shape.transformer.classes = 5;
  shape.schedule = {{1, 1}, {2, 3}, {3, 4}, {5, 7}};
  shape.cfg = {2.0};
  shape.labels = {3, 0, 4, 3};
  at::Generator generator = at::detail::createCPUGenerator(9);
  const TensorMap tensors =
      spiky(random_transformer(shape.transformer, shape.schedule, generator), generator);
  const TensorMap quantizer =
      spiky(random_vqvae(quantizer_tensors(shape.vae), generator), generator);
  const Generated together = run(shape, tensors, quantizer, {1, 2, 3, 4});
  for (int64_t image = 0; image < 4; ++image) {
    Shape alone = shape;
    alone.labels = {shape.labels[static_cast<size_t>(image)]};
    const Generated single = run(alone, tensors, quantizer, {static_cast<uint64_t>(image + 1)});
    for (size_t si = 0; si < shape.schedule.size(); ++si) {
      EXPECT_TRUE(at::equal(together.generation.ids[si][image], single.generation.ids[si][0]))
          << "image " << image << ", scale " << si;
    }
    EXPECT_LE((together.generation.features[image] - single.generation.features[0])
                  .abs()
                  .max()
                  .item<double>(),
              1e-5);
  }
  // Another seed, another image: the test above could fail.
  EXPECT_FALSE(at::equal(together.generation.ids[3][0], together.generation.ids[3][3]));
}

TEST(VarGuidance, GrowsFromNothingUnlessListed) {
  EXPECT_EQ(guidance_of_scales({4.0}, 5), (std::vector<double>{0, 1, 2, 3, 4}));
  EXPECT_EQ(guidance_of_scales({4.0}, 1), (std::vector<double>{0}));
  EXPECT_EQ(guidance_of_scales({4.0, 1.0}, 2), (std::vector<double>{4, 1}));
  EXPECT_THROW(guidance_of_scales({4.0, 1.0}, 3), Error);
}

}  // namespace
}  // namespace kvscope::var
