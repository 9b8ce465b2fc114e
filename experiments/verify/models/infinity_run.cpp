#include "experiments/verify/models/infinity_run.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>

#include "core/models/infinity/codes.h"
#include "core/models/shared/guidance.h"

namespace kvscope::verify {
namespace {

bool flag(const GoldenFile& file, const std::string& key) {
  return file.integer(key, 0) != 0;
}

infinity::TransformerConfig read_config(const GoldenFile& file) {
  infinity::TransformerConfig config;
  config.depth = file.integer("depth");
  config.chunks = file.integer("chunks");
  config.width = file.integer("width");
  config.heads = file.integer("heads");
  config.text_channels = file.integer("text_channels");
  config.code_bits = file.integer("vae_bits");
  config.patchify = flag(file, "patchify");
  if (config.depth > static_cast<int64_t>(file.tensor_count())) {
    file.fail(fmt::format("metadata 'depth' is {}, more than the file has tensors", config.depth));
  }
  // What the metadata leaves open shows in the tensors that are there.
  config.shared_ada_lin = file.has("model.shared_ada_lin.1.weight");
  config.swiglu = file.has("model.block_chunks.0.module.0.ffn.fcg.weight") ||
                  file.has("model.blocks.0.ffn.fcg.weight");
  const std::vector<int64_t>& levels = file.shape("model.lvl_embed.weight");
  if (!levels.empty()) config.level_rows = levels.front();
  config.check();
  return config;
}

infinity::ImageGeometry read_image(const GoldenFile& file, int64_t level_rows) {
  infinity::ImageGeometry image;
  for (const std::vector<int64_t>& scale : file.integer_rows("schedule")) {
    if (scale.size() != 3 || scale[0] != 1) {
      file.fail("metadata 'schedule' must list [1, height, width] of every scale");
    }
    image.schedule.emplace_back(scale[1], scale[2]);
  }
  if (image.schedule.empty() || static_cast<int64_t>(image.schedule.size()) > level_rows) {
    file.fail(
        fmt::format("metadata 'schedule' has {} scales; expected 1..{}, the rows of "
                    "'model.lvl_embed.weight'",
                    image.schedule.size(), level_rows));
  }
  // Positions refer to the last scale of the 1M schedule, whatever is generated.
  image.rope_grid = infinity::published_geometry(file.number("ratio"), "1M").schedule.back();
  return image;
}

infinity::TextFeatures read_text(GoldenFile& file, int64_t images, int64_t channels) {
  const at::Tensor lengths = file.tensor("text.lens", {images}).to(at::kLong);
  infinity::TextFeatures text;
  int64_t total = 0;
  int64_t longest = 0;
  for (int64_t image = 0; image < images; ++image) {
    const int64_t length = lengths[image].item<int64_t>();
    if (length < 1 || length > int64_t{1} << 20) {
      file.fail(fmt::format("tensor 'text.lens' holds {}; expected a token count", length));
    }
    text.lengths.push_back(length);
    total += length;
    longest = std::max(longest, length);
  }
  const at::Tensor packed = file.tensor("text.kv", {total, channels}).to(at::kFloat);
  text.features = at::zeros({images, longest, channels}, at::kFloat);
  int64_t begin = 0;
  for (int64_t image = 0; image < images; ++image) {
    const int64_t length = text.lengths[static_cast<size_t>(image)];
    text.features[image].narrow(0, 0, length).copy_(packed.narrow(0, begin, length));
    begin += length;
  }
  text.features = text.features.to(file.device());
  return text;
}

// Files hold latent bits; the model's tokens are 2 x 2 of them under patchify.
std::vector<at::Tensor> read_bits(GoldenFile& file,
                                  const infinity::TransformerConfig& config,
                                  const infinity::ImageGeometry& image,
                                  int64_t images) {
  std::vector<at::Tensor> bits;
  for (size_t si = 0; si < image.schedule.size(); ++si) {
    const auto [height, width] = image.latent(static_cast<int64_t>(si), config.patchify);
    const std::string name = fmt::format("bits.{}", si);
    const at::Tensor latent = file.tensor(name, {images, height, width, config.code_bits});
    if (at::logical_and(latent != 0, latent != 1).any().item<bool>()) {
      file.fail(fmt::format("tensor '{}' holds values other than 0 and 1", name));
    }
    const at::Tensor bytes = latent.to(at::kByte);
    bits.push_back(config.patchify ? infinity::patch_bits(bytes) : bytes.contiguous());
  }
  return bits;
}

}  // namespace

InfinityRun read_infinity_run(GoldenFile& file) {
  InfinityRun run;
  run.config = read_config(file);
  run.image = read_image(file, run.config.level_rows);
  run.images = file.integer("batch");
  run.options.cfg = per_step(file.numbers("cfg"), run.image.schedule.size(), "metadata 'cfg'");
  run.options.tau = per_step(file.numbers("tau"), run.image.schedule.size(), "metadata 'tau'");
  run.options.top_p = file.number("top_p");
  if (file.has_key("seed")) {
    constexpr int64_t kLargestSeed = std::numeric_limits<int64_t>::max();
    run.seed = static_cast<uint64_t>(file.integer("seed", 0, kLargestSeed));
  }
  // Bits and text first: their shapes confirm the sizes that the metadata claims.
  run.options.forced_bits = read_bits(file, run.config, run.image, run.images);
  run.text = read_text(file, run.images, run.config.text_channels);
  run.weights = infinity::resolve_transformer(run.config, file.weights("model."), "model.");
  return run;
}

CacheGeometry reference_geometry(const InfinityRun& run) {
  CacheGeometry geometry =
      cache_geometry(run.config.attention(), next_scale_steps(run.image.schedule));
  geometry.steps.back().stored = true;
  return geometry;
}

}  // namespace kvscope::verify
