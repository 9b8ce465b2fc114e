#include "core/models/model_files.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/checkpoint/safetensors.h"
#include "core/config/yaml.h"
#include "core/models/image_model.h"
#include "test_paths.h"
#include "tests/core/checkpoint/torch_file.h"
#include "tests/support/logged_text.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;
using Entries = std::vector<TensorMap::Entry>;

struct FamilyCase {
  const char* family;
  const char* image_part;  ///< what the image network's names start with in `weights`
  std::string keys;        ///< of the model group
  Entries carried;         ///< what published files hold beside the tensors that are read
};

const char* const kVq =
    ", picture: {grid: [2, 2]}, vq: {base_channels: 32, channel_multipliers: [1, 1], "
    "encoder_blocks: 1, latent_channels: 32, codebook_entries: 9, code_width: 4}";

std::vector<FamilyCase> family_cases() {
  const at::Tensor some = at::ones({2});
  return {
      {"var",
       "vae.",
       ", layers: null, transformer: {depth: 1, width: 30, heads: 3, classes: 7}, picture: "
       "{schedule: [[1, 1], [2, 3]]}, vae: {base_channels: 4, channel_multipliers: [1, 2], "
       "encoder_blocks: 1, norm_groups: 4, codes: 300, code_width: 6}",
       {{"model.lvl_1L", at::zeros({1, 7}, at::kLong)},
        {"vae.encoder.conv_in.weight", some},
        {"vae.quant_conv.bias", some},
        {"vae.quantize.ema_vocab_hit_SV", at::ones({2, 300})}}},
      {"janus",
       "model.gen_vision_model.",
       std::string(", tokenizer: ") + kSourceDir +
           "/tests/golden/bpe_tiny/tokenizer.json, transformer: {depth: 1, width: 16, heads: "
           "2, feed_forward_width: 20, text_vocabulary: 60, text_max_tokens: 19}" +
           kVq,
       {{"model.vision_model.vision_tower.norm.weight", some},
        {"model.aligner.layers.0.weight", some},
        {"model.language_model.lm_head.weight", some},
        {"model.gen_vision_model.encoder.conv_in.weight", some},
        {"model.gen_vision_model.quant_conv.bias", some},
        {"model.gen_vision_model.quantize.codebook_used", some}}},
      {"llamagen",
       "vq.",
       std::string(", transformer: {depth: 1, width: 16, heads: 2, feed_forward_width: 20, "
                   "classes: 5}") +
           kVq,
       {{"vq.encoder.conv_in.weight", some},
        {"vq.quant_conv.bias", some},
        {"vq.quantize.codebook_used", some}}},
  };
}

ConfigNode config_of(const FamilyCase& one, const std::string& files) {
  return load_yaml_text(std::string("{name: tiny, family: ") + one.family + ", precision: fp32, " +
                            files + one.keys + "}",
                        "test");
}

// Random values for everything that the model reads, as a file of all parts spells it.
Entries needed(const FamilyCase& one) {
  Entries entries;
  for (const WeightSpec& spec : model_tensors(config_of(one, "weights: random"))) {
    if (!spec.buffer) entries.emplace_back(spec.part + spec.name, at::randn(spec.shape) * 0.1);
  }
  return entries;
}

class ModelFilesOfFamily : public testing::TestWithParam<FamilyCase> {
 protected:
  // What opening the model logs, with `entries` in its file.
  std::string log_of_opening(const Entries& entries) {
    write_safetensors(folder_ / "model.safetensors", entries);
    const LoggedText log;
    open_model(config_of(GetParam(), "weights: model.safetensors"), folder_.string(), at::kCPU);
    return log.text();
  }
  const fs::path folder_ = checkpoint_folder(std::string("model_files_") + GetParam().family);
};

TEST_P(ModelFilesOfFamily, WhatPublishedFilesCarryIsNoNews) {
  Entries entries = needed(GetParam());
  EXPECT_THAT(log_of_opening(entries), IsEmpty());
  const Entries& carried = GetParam().carried;
  entries.insert(entries.end(), carried.begin(), carried.end());
  EXPECT_THAT(log_of_opening(entries), IsEmpty());
}

TEST_P(ModelFilesOfFamily, UnexpectedTensorsAreNamedAndCounted) {
  Entries entries = needed(GetParam());
  for (int i = 0; i < 30; ++i) {
    entries.emplace_back("model.stray." + std::to_string(100 + i), at::ones({1}));
  }
  EXPECT_THAT(
      log_of_opening(entries),
      AllOf(HasSubstr("[warning] model.safetensors: 30 tensors that tiny does not ask for"),
            HasSubstr("unexpected 'model.stray.100'"), HasSubstr("unexpected 'model.stray.119'"),
            HasSubstr("... and 10 more"), Not(HasSubstr("model.stray.120"))));
}

TEST_P(ModelFilesOfFamily, AnOwnImageFileIsComparedToo) {
  const std::string part = GetParam().image_part;
  Entries model;
  Entries image;
  for (const auto& [name, tensor] : needed(GetParam())) {
    if (name.starts_with(part)) {
      image.emplace_back(name.substr(part.size()), tensor);
    } else {
      model.emplace_back(name, tensor);
    }
  }
  image.emplace_back("decoder.stray", at::ones({1}));
  write_safetensors(folder_ / "image.safetensors", image);
  write_safetensors(folder_ / "model.safetensors", model);
  const auto opened = [&] {
    const LoggedText log;
    open_model(config_of(GetParam(), "weights: model.safetensors, vae_weights: image.safetensors"),
               folder_.string(), at::kCPU);
    return log.text();
  };
  EXPECT_THAT(opened(),
              AllOf(HasSubstr("[warning] image.safetensors: 1 tensors that tiny does not ask for"),
                    HasSubstr("unexpected 'decoder.stray'"), Not(HasSubstr("model.safetensors"))));
  image.front().first = "strayed";
  write_safetensors(folder_ / "image.safetensors", image);
  EXPECT_THAT(input_error_of(opened), HasSubstr("image.safetensors does not fit tiny: 1 missing"));
}

TEST_P(ModelFilesOfFamily, AMissingTensorIsNamedWithItsFile) {
  Entries entries = needed(GetParam());
  entries.front().first = "model.strayed";
  EXPECT_THAT(input_error_of([&] { log_of_opening(entries); }),
              AllOf(HasSubstr("model.safetensors does not fit tiny: 1 missing"),
                    HasSubstr("missing '" + needed(GetParam()).front().first + "'"),
                    HasSubstr("unexpected 'model.strayed'")));
}

INSTANTIATE_TEST_SUITE_P(Family,
                         ModelFilesOfFamily,
                         testing::ValuesIn(family_cases()),
                         [](const auto& shape) { return std::string(shape.param.family); });

TEST(ModelFiles, APartIsTheWholeFileWhereNothingIsBelowItsName) {
  TensorMap tensors;
  tensors.set("a.b", at::ones({1}));
  tensors.set("c", at::zeros({1}));
  EXPECT_THAT(part_tensors(tensors, "a.").names(), testing::ElementsAre("b"));
  EXPECT_EQ(part_tensors(tensors, "d.").size(), 2);
  EXPECT_EQ(model_file("/root", "/own/file"), "/own/file");
  EXPECT_EQ(model_file("/data", "own/file"), "/data/own/file");
}

}  // namespace
}  // namespace kvscope
