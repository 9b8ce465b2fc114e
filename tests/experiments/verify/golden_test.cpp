// Every recorded run that the repository holds, recomputed as `kvscope verify` does. Tests bear the
// names of the files.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "experiments/verify/verify.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::set<std::string> kInfinityGroups = {"logits", "bits", "summed_codes", "cache.k",
                                               "cache.v"};

// Optional groups that a trimmed file cannot tell are listed in `absent`, no others.
void expect_recomputed(const std::string& file,
                       const std::set<std::string>& expected_groups,
                       const std::set<std::string>& absent = {}) {
  const std::vector<GroupResult> results =
      verify_file(std::filesystem::path(kSourceDir) / "tests/golden" / file);
  std::set<std::string> groups;
  std::set<std::string> not_compared;
  for (const GroupResult& result : results) {
    EXPECT_TRUE(result.ok) << result.group << ": " << result.largest_difference << ", "
                           << result.note;
    (result.compared ? groups : not_compared).insert(result.group);
  }
  EXPECT_EQ(groups, expected_groups);
  EXPECT_EQ(not_compared, absent);
}

TEST(Golden, infinity_tiny) {
  expect_recomputed("infinity_tiny.safetensors", kInfinityGroups);
}

TEST(Golden, infinity_tiny_patchify) {
  expect_recomputed("infinity_tiny_patchify.safetensors",
                    {"logits", "bits", "summed_codes", "cache.k"}, {"cache.v"});
}

TEST(Golden, infinity_vae_stride8) {
  expect_recomputed("infinity_vae_stride8.safetensors", {"image"});
}

TEST(Golden, infinity_vae_stride16) {
  expect_recomputed("infinity_vae_stride16.safetensors", {"image"});
}

// Of vq16_tiny the weights before conv_blocks.1 (3.9 of 5.5 MB) are left out; in their place it has
// what they make of the codes, computed in fp64 loops. janus_vq_hf_names is whole.
TEST(Golden, vq16_tiny) {
  expect_recomputed("vq16_tiny.safetensors", {"codes", "image from conv_blocks.1"}, {"image"});
}

TEST(Golden, janus_vq_hf_names) {
  expect_recomputed("janus_vq_hf_names.safetensors", {"codes", "image"});
}

TEST(Golden, scalekv_tiny_2b) {
  expect_recomputed("scalekv_tiny_2b.safetensors",
                    {"logits", "bits", "summed_codes", "kept", "cache.k"}, {"cache.v"});
}

TEST(Golden, var_tiny) {
  expect_recomputed("var_tiny.safetensors", {"logits", "ids", "f_hat", "image"},
                    {"cache.k", "cache.v"});
}

TEST(Golden, var_tiny_shared_aln) {
  expect_recomputed("var_tiny_shared_aln.safetensors", {"f_hat", "cache.k"},
                    {"logits", "ids", "image", "cache.v"});
}

TEST(Golden, janus_tiny) {
  expect_recomputed("janus_tiny.safetensors",
                    {"tokens", "hidden", "logits.cond_uncond", "logits.cfg", "cache.k", "cache.v"});
}

TEST(Golden, llamagen_c2i_tiny) {
  expect_recomputed("llamagen_c2i_tiny.safetensors", {"logits", "tokens", "cache.k", "cache.v"});
}

TEST(Golden, llamagen_t2i_tiny) {
  expect_recomputed("llamagen_t2i_tiny.safetensors", {"logits", "tokens", "cache.k", "cache.v"});
}

TEST(Golden, gqa_decoder_tiny) {
  expect_recomputed("gqa_decoder_tiny.safetensors",
                    {"tokens", "prefill_hidden", "hidden", "logits", "cache.k", "cache.v"});
}

TEST(Golden, t5_encoder_tiny) {
  expect_recomputed("t5_encoder_tiny.safetensors", {"last_hidden_state", "input_ids"});
}

TEST(Golden, sp_cases) {
  expect_recomputed("sp_cases.json", {"ids"});
}

TEST(Golden, bpe_cases) {
  expect_recomputed("bpe_cases.json", {"ids tokenizer", "ids tokenizer_pairs"});
}

// Without pictures of 256 x 256, which are most of the file and of the time.
TEST(Golden, metrics_images) {
  expect_recomputed("metrics_images.safetensors",
                    {"mse, psnr",
                     "psnr in f32",
                     "ssim, ms-ssim",
                     "ssim, ms-ssim in f32",
                     "ssim of scikit-image",
                     "resized bytes",
                     "clean-fid resize",
                     "pytorch-fid resize",
                     "weights by formula",
                     "sums of such weights",
                     "lpips.alex_f64",
                     "lpips.alex_f32",
                     "lpips.vgg_f32",
                     "inception f64",
                     "inception blocks f64",
                     "inception clean f64",
                     "inception f32",
                     "means, covariances",
                     "frechet by singular values",
                     "frechet by eigenvalues"},
                    {"lpips.vgg_f64"});
}

TEST(Golden, clip_tiny) {
  expect_recomputed(
      "clip_tiny.safetensors",
      {"resized, cropped bytes", "pixels", "pre.hf_slow.pixel_values.3",
       "pre.hf_fast.pixel_values.3", "pre.hpsv2_antialias.pixel_values",
       "pre.hpsv2_no_antialias.pixel_values", "ids", "openai towers", "openai features",
       "openai cosines", "openai logits", "open_clip towers", "open_clip features",
       "open_clip cosines", "open_clip logits", "averages of cosines", "texts without an end"});
}

TEST(Golden, clip_tiny_hf_names) {
  expect_recomputed("clip_tiny_hf_names.safetensors", {"weights", "features"});
}

TEST(Golden, clip_cases) {
  std::set<std::string> groups;
  for (const char* vocabulary : {"bpe_tiny.txt.gz", "tokenizer.json", "vocab.json"}) {
    for (const char* kind : {"ids", "ids_without_ftfy", "hf_fast_ids", "open_clip_ids"}) {
      groups.insert(std::string(kind) + " " + vocabulary);
    }
  }
  expect_recomputed("clip_bpe/cases.json", groups);
}

TEST(Golden, stats) {
  expect_recomputed("stats.json",
                    {"difference", "t test", "effect size", "wilcoxon", "sign test", "correlation",
                     "holm", "hochberg", "bonferroni", "benjamini_hochberg", "benjamini_yekutieli",
                     "summary", "distributions"});
}

}  // namespace
}  // namespace kvscope
