// Recorded VQ images that are damaged or incomplete: a failed verdict or an error that names what
// is wrong, never a pass.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "experiments/verify/verify.h"
#include "test_paths.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Metadata = std::map<std::string, std::string>;
using Change = std::function<void(TensorMap&, Metadata&)>;

// The verdict on a changed copy of a recording.
std::vector<GroupResult> verify_changed(const std::string& name, const Change& change) {
  const SafetensorsReader reader(std::filesystem::path(kSourceDir) / "tests/golden" /
                                 (name + ".safetensors"));
  TensorMap tensors;
  for (const auto& [key, tensor] : reader.tensors()) tensors.set(key, tensor.clone());
  Metadata metadata = reader.metadata();
  change(tensors, metadata);
  const std::filesystem::path path = test_file("verify_vq_copy.safetensors");
  write_safetensors(path, tensors.entries(), metadata);
  return verify_file(path);
}

std::string error_of(const std::string& name, const Change& change) {
  try {
    verify_changed(name, change);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

const GroupResult& group(const std::vector<GroupResult>& results, const std::string& name) {
  for (const GroupResult& result : results) {
    if (result.group == name) return result;
  }
  throw std::out_of_range(name);
}

TensorMap without(const TensorMap& tensors, const std::string& part) {
  TensorMap rest;
  for (const auto& [name, tensor] : tensors) {
    if (name.find(part) == std::string::npos) rest.set(name, tensor);
  }
  return rest;
}

TEST(VerifyVq, AnotherWeightOrIdShows) {
  const auto weight = [](TensorMap& tensors, Metadata&) {
    at::Tensor bias = tensors.at("vq.model.vqmodel.decoder.up.0.attn.2.v.bias");
    bias[3] += 2;
  };
  EXPECT_FALSE(group(verify_changed("janus_vq_hf_names", weight), "image").ok);
  const auto id = [](TensorMap& tensors, Metadata&) {
    at::Tensor codes = tensors.at("codes");
    codes[1][20] = (codes[1][20] + 1) % 200;
  };
  EXPECT_FALSE(group(verify_changed("janus_vq_hf_names", id), "image").ok);
  const auto late = [](TensorMap& tensors, Metadata&) {
    at::Tensor bias = tensors.at("vq.decoder.norm_out.bias");
    bias[0] += 1;
  };
  EXPECT_FALSE(group(verify_changed("vq16_tiny", late), "image from conv_blocks.1").ok);
}

TEST(VerifyVq, WhatIsNotInTheFileIsSaidOrAnError) {
  const auto nothing = [](TensorMap&, Metadata&) {};
  EXPECT_FALSE(group(verify_changed("vq16_tiny", nothing), "image").compared);
  const auto no_input = [](TensorMap& tensors, Metadata&) { tensors = without(tensors, "input."); };
  EXPECT_THAT(error_of("vq16_tiny", no_input),
              AllOf(HasSubstr("verify_vq_copy"), HasSubstr("missing 'vq.decoder.conv_in.weight'")));
  const auto no_block = [](TensorMap& tensors, Metadata&) {
    tensors = without(tensors, "conv_blocks.3.res.1");
  };
  EXPECT_THAT(error_of("vq16_tiny", no_block), HasSubstr("decoder.conv_blocks.3.res.1.conv1.bias"));
  for (const std::string name : {"codes", "image", "embedding"}) {
    const auto drop = [&](TensorMap& tensors, Metadata&) { tensors = without(tensors, name); };
    EXPECT_THAT(error_of("janus_vq_hf_names", drop), HasSubstr(name));
  }
}

TEST(VerifyVq, NumbersThatDoNotFitAreNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"grid", "[6]"},        {"grid", "[5, 6]"},        {"grid", "[0, 6]"},
      {"ch_mult", "[]"},      {"ch_mult", "[1, 2.5]"},   {"ch_mult", "[1, 1, 1, 1, 1, 1, 1, 1, 2]"},
      {"codebook", "201"},    {"codebook_dim", "many"},  {"base_channels", "-32"},
      {"base_channels", "8"}, {"z_channels", "9999999"}, {"norm_groups", "7"}};
  for (const auto& [key, value] : wrong) {
    const auto change = [&](TensorMap&, Metadata& metadata) { metadata[key] = value; };
    EXPECT_THAT(error_of("janus_vq_hf_names", change), HasSubstr("verify_vq_copy")) << key << value;
  }
  const auto outside = [](TensorMap& tensors, Metadata&) {
    at::Tensor codes = tensors.at("codes");
    codes[0][0] = 200;
  };
  EXPECT_THAT(error_of("janus_vq_hf_names", outside), HasSubstr("id 200"));
}

}  // namespace
}  // namespace kvscope
