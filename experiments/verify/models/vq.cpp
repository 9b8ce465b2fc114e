#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_quantiser.h"
#include "core/models/vq/vq_tensors.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"

namespace kvscope::verify {
namespace {

VqConfig config_of(const GoldenFile& file) {
  VqConfig config;
  config.base_channels = file.integer("base_channels");
  config.channel_multipliers = file.integers("ch_mult", 1, 1024);
  config.latent_channels = file.integer("z_channels");
  config.codebook_entries = file.integer("codebook");
  config.code_width = file.integer("codebook_dim");
  if (file.has_key("norm_groups")) config.norm_groups = file.integer("norm_groups");
  if (file.has_key("res_blocks")) config.encoder_blocks = file.integer("res_blocks");
  config.check();
  return config;
}

// Below what the tokenizer lies: alone, or as a part of either form of Janus.
std::string prefix_of(const GoldenFile& file) {
  constexpr std::array kPrefixes = {"vq.", "vq.model.vqmodel.", "vq.gen_vision_model."};
  for (const char* prefix : kPrefixes) {
    if (file.has(std::string(prefix) + "quantize.embedding.weight")) return prefix;
  }
  file.fail(fmt::format("tensor 'quantize.embedding.weight' is below none of {}",
                        fmt::join(kPrefixes, ", ")));
}

// The first block whose recorded input stands in for the weights before it; 0: no such block.
int64_t first_recorded_block(const GoldenFile& file, const VqConfig& config) {
  for (int64_t block = 1; block < config.levels(); ++block) {
    if (file.has(fmt::format("input.conv_blocks.{}", block))) return block;
  }
  return 0;
}

// Whether decoder tensor `name` is used from block `first_block` on.
bool used_from(const std::string& name, int64_t first_block) {
  constexpr std::string_view kBlocks = "decoder.conv_blocks.";
  if (name.starts_with("decoder.norm_out.") || name.starts_with("decoder.conv_out.")) return true;
  return name.starts_with(kBlocks) && name[kBlocks.size()] - '0' >= first_block;
}

}  // namespace

std::vector<GroupResult> verify_vq(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  const VqConfig config = config_of(file);
  const std::string prefix = prefix_of(file);
  const TensorMap tensors = file.weights("vq.");
  const std::vector<int64_t> grid = file.integers("grid");
  if (grid.size() != 2) file.fail("metadata 'grid' must be [height, width] in tokens");
  const std::vector<int64_t> batch = file.shape("codes");
  if (batch.size() != 2 || batch[1] != grid[0] * grid[1]) {
    file.fail(fmt::format("tensor 'codes' must be [images, {}], row-major on the grid",
                          grid[0] * grid[1]));
  }
  const at::Tensor ids = file.tensor("codes", batch).view({batch[0], grid[0], grid[1]});
  const std::string image = "image";
  const at::Tensor recorded =
      file.tensor(image, {batch[0], 3, grid[0] * config.stride(), grid[1] * config.stride()});

  // Every id must be what encoding its own direction gives, up to rows of one direction.
  const at::Tensor rows = tensors.at(prefix + "quantize.embedding.weight",
                                     {config.codebook_entries, config.code_width});
  TensorMap quantiser;
  quantiser.set("quantize.embedding.weight", rows);
  const at::Tensor codebook = vq_codebook(quantiser);
  const at::Tensor codes = vq_lookup(codebook, ids);
  GroupCheck lookup("codes");
  lookup.compare(vq_lookup(codebook, vq_nearest(codebook, codes)), codes, "codes");
  std::vector<GroupResult> results{lookup.result("each found again as the nearest of its image")};

  const int64_t first_block = first_recorded_block(file, config);
  const bool whole = first_block == 0 || tensors.contains(prefix + "decoder.conv_in.weight");
  if (whole) {
    GroupCheck check(image);
    check.compare(vq_decode(config, tensors, ids, prefix), recorded, image);
    results.push_back(check.result(fmt::format("stride {}, not clamped", config.stride())));
  } else {
    results.push_back(not_in_file(
        image, fmt::format("the weights before 'decoder.conv_blocks.{}'", first_block)));
  }
  if (first_block > 0) {
    const std::string name = fmt::format("input.conv_blocks.{}", first_block);
    const int64_t scale = int64_t{1} << first_block;
    const at::Tensor input =
        file.tensor(name, {batch[0], config.channels(config.levels() - first_block),
                           grid[0] * scale, grid[1] * scale});
    std::vector<WeightSpec> specs = vq_decoder_tensors(config);
    std::erase_if(specs, [&](const WeightSpec& s) { return !used_from(s.name, first_block); });
    const TensorMap weights = resolve_vq(specs, tensors, prefix);
    GroupCheck check("image from " + name.substr(name.find('.') + 1));
    check.compare(vq_decode_from(config, weights, input.to(file.device()), first_block), recorded,
                  image);
    results.push_back(check.result());
  }
  return results;
}

}  // namespace kvscope::verify
