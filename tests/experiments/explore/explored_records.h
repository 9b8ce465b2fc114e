#pragma once

#include <filesystem>
#include <string>

#include "analysis/attention/attention_file.h"
#include "core/image/png.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {

inline std::vector<uint8_t> small_png() {
  const std::vector<std::byte> png = encode_png(Image(4, 6));
  const auto* bytes = reinterpret_cast<const uint8_t*>(png.data());
  return {bytes, bytes + png.size()};
}

/// A record as a page gets it: written to a file and read back, so that its numbers are the file's.
inline AttentionRecord as_of_a_file(const AttentionRecord& record) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto path = std::filesystem::path(testing::TempDir()) /
                    (std::string("kvscope_explored_") + test->name() + ".h5");
  write_attention(path, record);
  AttentionRecord read = read_attention(path);
  std::filesystem::remove(path);
  return read;
}

/// A small run with everything that a page shows.
inline AttentionRecord explored_record(AttentionRun run = {}, bool has_maps = true) {
  AttentionRecorder recorder({.guided = true,
                              .top_keys = 3,
                              .query_maps = has_maps,
                              .map_query_side = 2,
                              .map_key_side = 3});
  recorder.add_prompts({"a red circle", "b"});
  run.generate(recorder, 3);
  AttentionRecord record = recorder.record();
  record.model = "toy";
  record.point_hash = "0123456789abcdef";
  record.first_images = {small_png()};
  return as_of_a_file(record);
}

inline AttentionRun next_token_run() {
  AttentionRun run{.line_tokens = 12};
  run.steps = next_token_steps(5, 12 * 7);
  return run;
}

}  // namespace kvscope
