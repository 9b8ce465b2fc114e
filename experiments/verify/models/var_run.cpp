#include "experiments/verify/models/var_run.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>

namespace kvscope::verify {
namespace {

bool yes(const GoldenFile& file, const std::string& key) {
  const std::string& text = file.text(key);
  if (text != "true" && text != "false") {
    file.fail(fmt::format("metadata '{}' is '{:.80}'; expected true or false", key, text));
  }
  return text == "true";
}

// Size 0 of a tensor that must have at least one dimension.
int64_t first_size(const GoldenFile& file, const std::string& name) {
  const std::vector<int64_t>& shape = file.shape(name);
  if (shape.empty()) file.fail(fmt::format("tensor '{}' is a single number", name));
  return shape.front();
}

var::TransformerConfig read_config(const GoldenFile& file) {
  var::TransformerConfig config;
  config.depth = file.integer("depth", 1, 1 << 12);
  config.width = file.integer("width");
  config.heads = file.integer("heads");
  config.classes = file.integer("num_classes");
  config.shared_ada_lin = yes(file, "shared_aln");
  config.codes = first_size(file, "vae.quantize.embedding.weight");
  config.code_width = file.shape("vae.quantize.embedding.weight").back();
  config.check();
  return config;
}

int64_t counted(const GoldenFile& file, const std::string& before, const std::string& after) {
  int64_t count = 0;
  while (file.has(fmt::format("{}{}{}", before, count, after))) ++count;
  return count;
}

// What the metadata leaves open shows in the tensors that are there.
var::VqvaeConfig read_vae(const GoldenFile& file, const var::TransformerConfig& transformer) {
  var::VqvaeConfig config;
  config.codes = transformer.codes;
  config.code_width = transformer.code_width;
  config.phis = counted(file, "vae.quantize.quant_resi.qresi_ls.", ".weight");
  config.base_channels = file.integer("vae_channels");
  if (file.has("vae.decoder.conv_in.weight")) {
    const int64_t levels = counted(file, "vae.decoder.up.", ".block.0.conv1.weight");
    config.encoder_blocks = counted(file, "vae.decoder.up.0.block.", ".conv1.weight") - 1;
    config.channel_multipliers.clear();
    for (int64_t level = 0; level < levels; ++level) {
      const int64_t channels =
          first_size(file, fmt::format("vae.decoder.up.{}.block.0.conv1.weight", level));
      if (channels % config.base_channels != 0) {
        file.fail(
            fmt::format("level {} of the decoder has {} channels, no multiple of metadata "
                        "'vae_channels' {}",
                        level, channels, config.base_channels));
      }
      config.channel_multipliers.push_back(channels / config.base_channels);
    }
  }
  config.check();
  return config;
}

std::vector<int64_t> read_labels(GoldenFile& file, int64_t images, int64_t classes) {
  const at::Tensor recorded = file.tensor("labels", {images}).to(at::kLong);
  std::vector<int64_t> labels;
  for (int64_t image = 0; image < images; ++image) {
    labels.push_back(recorded[image].item<int64_t>());
    if (labels.back() < 0) labels.back() = classes;  // no label, as the reference reads it
    if (labels.back() > classes) {
      file.fail(fmt::format("tensor 'labels' holds {}; expected 0..{}", labels.back(), classes));
    }
  }
  return labels;
}

std::vector<at::Tensor> read_ids(GoldenFile& file,
                                 const ScaleSchedule& schedule,
                                 int64_t images,
                                 int64_t codes) {
  std::vector<at::Tensor> ids;
  for (size_t si = 0; si < schedule.size(); ++si) {
    const auto [height, width] = schedule[si];
    const std::string name = fmt::format("ids.{}", si);
    ids.push_back(file.tensor(name, {images, height * width}).to(at::kLong).contiguous());
    if (ids.back().min().item<int64_t>() < 0 || ids.back().max().item<int64_t>() >= codes) {
      file.fail(fmt::format("tensor '{}' holds ids outside the codebook of {}", name, codes));
    }
  }
  return ids;
}

// A trimmed file without a head gets one of zeros: its logits are compared with nothing.
TensorMap transformer_weights(GoldenFile& file, const VarRun& run) {
  TensorMap weights = file.weights("model.");
  if (run.has_head) return weights;
  const int64_t c = run.config.width;
  const auto zeros = [&](at::IntArrayRef shape) { return at::zeros(shape, file.device()); };
  weights.set("model.head_nm.ada_lin.1.weight", zeros({2 * c, c}));
  weights.set("model.head_nm.ada_lin.1.bias", zeros({2 * c}));
  weights.set("model.head.weight", zeros({run.config.codes, c}));
  weights.set("model.head.bias", zeros({run.config.codes}));
  return weights;
}

}  // namespace

VarRun read_var_run(GoldenFile& file) {
  VarRun run;
  run.config = read_config(file);
  run.vae = read_vae(file, run.config);
  const std::vector<int64_t> sides = file.integers("patch_nums", 1, 4096);
  if (sides.empty() || sides.size() > 64) {
    file.fail(fmt::format("metadata 'patch_nums' has {} scales; expected 1..64", sides.size()));
  }
  run.schedule = var::square_schedule(sides);
  const int64_t images = file.integer("batch");
  // Ids first: their shapes confirm the sizes that the metadata claims.
  run.options.forced_ids = read_ids(file, run.schedule, images, run.config.codes);
  run.labels = read_labels(file, images, run.config.classes);
  run.options.cfg = {file.number("cfg")};
  run.options.top_k = file.integer("top_k", 0);
  run.options.top_p = file.number("top_p");
  if (file.has_key("seed")) {
    run.seed = static_cast<uint64_t>(file.integer("seed", 0, std::numeric_limits<int64_t>::max()));
  }
  run.has_head = file.has("model.head.weight");
  run.weights =
      var::resolve_transformer(run.config, run.schedule, transformer_weights(file, run), "model.");
  const TensorMap vae = file.weights("vae.");
  run.quantizer = var::resolve_vqvae(var::quantizer_tensors(run.vae), vae, "vae.");
  if (file.has("vae.decoder.conv_in.weight")) {
    run.decoder = var::resolve_vqvae(var::decoder_tensors(run.vae), vae, "vae.");
  }
  return run;
}

}  // namespace kvscope::verify
