#pragma once

// What the tests of result files share.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/hdf5/seal.h"
#include "experiments/results/result_file.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {

inline void expect_same(const ImageRow& a, const ImageRow& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  EXPECT_EQ(a.image_index, b.image_index);
  EXPECT_EQ(a.prompt_id, b.prompt_id);
  EXPECT_EQ(a.prompt, b.prompt);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.token_sha256, b.token_sha256);
  EXPECT_EQ(a.packed_tokens, b.packed_tokens);
  EXPECT_EQ(a.step_ms, b.step_ms);
  EXPECT_EQ(a.attention_ms, b.attention_ms);
  EXPECT_EQ(a.policy_ms, b.policy_ms);
  EXPECT_EQ(a.total_ms, b.total_ms);
  EXPECT_EQ(a.kv_planned_bytes, b.kv_planned_bytes);
  EXPECT_EQ(a.kv_live_bytes, b.kv_live_bytes);
  EXPECT_EQ(a.kv_peak_bytes, b.kv_peak_bytes);
  EXPECT_EQ(a.kv_peak_planned_bytes, b.kv_peak_planned_bytes);
  EXPECT_EQ(a.kv_allocated_bytes, b.kv_allocated_bytes);
  EXPECT_EQ(a.allocator_peak_bytes, b.allocator_peak_bytes);
  EXPECT_EQ(a.allocator_planned_bytes, b.allocator_planned_bytes);
  EXPECT_TRUE(same(a.device_peak_bytes, b.device_peak_bytes));
  for (const std::string& name : metric_names()) {
    EXPECT_TRUE(same(a.metrics[name], b.metrics[name])) << name;
  }
  EXPECT_EQ(a.skill, b.skill);
}

inline std::string message_of(const std::function<void()>& body, ErrorKind kind) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline void write_finished(const std::filesystem::path& file, int64_t images) {
  ResultWriter writer(file, sample_point("snapkv", 0.1, images));
  for (int64_t i = 0; i < images; ++i) writer.append(sample_row(static_cast<uint64_t>(i)));
  writer.finish();
}

/// Takes away the digest at the beginning: files of before had none, and what follows is looked at.
inline void unseal(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(kSealBytes);
  const std::string rest((std::istreambuf_iterator<char>(stream)), {});
  stream.close();
  std::ofstream(file, std::ios::binary) << rest;
}

}  // namespace kvscope
