// Whatever a run reads is part of what its points are: a changed byte anywhere makes them anew.
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/point_worker.h"
#include "sweep_testing.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

fs::path fresh(const std::string& name) {
  const fs::path folder = test_file(name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

/// The embedded next-token model as two shards and an index.
fs::path sharded_model(const fs::path& folder) {
  std::vector<std::pair<std::string, at::Tensor>> parts[2];
  nlohmann::json index;
  size_t i = 0;
  for (const auto& [name, tensor] :
       read_safetensors(data_root() / "models/shapes_next_token/model.safetensors")) {
    const size_t part = i++ % 2;
    parts[part].emplace_back(name, tensor);
    index["weight_map"][name] = "part" + std::to_string(part) + ".safetensors";
  }
  for (size_t part : {0, 1}) {
    write_safetensors(folder / ("part" + std::to_string(part) + ".safetensors"), parts[part], {});
  }
  std::ofstream(folder / "model.safetensors.index.json") << index;
  return folder / "model.safetensors.index.json";
}

void flip_last_byte(const fs::path& file) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(-1, std::ios::end);
  const auto byte = static_cast<char>(stream.get() ^ 1);
  stream.seekp(-1, std::ios::end);
  stream.put(byte);
}

std::string hash_with(const std::vector<std::string>& overrides) {
  return points_of(std::vector<std::string>{"model=shapes_next_token", "gen.images=1"} + overrides,
                   PointIdentity::kHashed, false)
      .points.front()
      .hash;
}

TEST(Identity, EveryShardOfAnIndexCounts) {
  const fs::path folder = fresh("sharded");
  const fs::path index = sharded_model(folder);
  for (const std::string& named : {index.string(), folder.string()}) {
    const auto hash = [&] { return hash_with({"model.weights=" + named}); };
    const std::string before = hash();
    EXPECT_EQ(hash(), before);
    for (const char* shard : {"part0.safetensors", "part1.safetensors"}) {
      flip_last_byte(folder / shard);
      EXPECT_NE(hash(), before) << named << ", " << shard;
      flip_last_byte(folder / shard);
    }
    EXPECT_EQ(hash(), before) << "the bytes count, not the time";
  }
}

TEST(Identity, ATokenizersFolderIsTakenAndAllItReadsCounts) {
  const fs::path folder = fresh("tokenizer");
  fs::copy_file(data_root() / "models/shapes_next_token/tokenizer.json", folder / "tokenizer.json");
  std::ofstream(folder / "readme.txt") << "read by nobody";
  const auto hash = [&] { return hash_with({"model.tokenizer=" + folder.string()}); };
  const std::string before = hash();
  std::ofstream(folder / "readme.txt") << "changed";
  EXPECT_EQ(hash(), before);
  std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": true})";
  const std::string configured = hash();
  EXPECT_NE(configured, before) << "settings beside the tokenizer";
  std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": false})";
  EXPECT_NE(hash(), configured);
}

TEST(Identity, APolicysProfileCountsWhereverItIsNamed) {
  const fs::path profile = test_file("heads.yaml");
  std::ifstream stream(data_root() / "configs/data/heads/shapes_next_token.yaml");
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto hash = [&] {
    std::ofstream(profile) << text;
    return hash_with(
        {"policy=headkv", "budget.ratio=0.5", "policy.allocate.importance=" + profile.string()});
  };
  const std::string before = hash();
  const size_t value = text.find("0.570966");
  ASSERT_NE(value, text.npos);
  text.replace(value, 8, "0.570967");
  EXPECT_NE(hash(), before);
}

TEST(Identity, ARunReadsNothingThatItsIdentityDoesNotKnow) {
  const fs::path folder = fresh("audit");
  const Point point =
      points_of({"model=shapes_next_token", "gen.images=1",
                 "model.weights=" + sharded_model(folder).string(),
                 "model.tokenizer=" + (data_root() / "models/shapes_next_token").string()},
                PointIdentity::kHashed, false)
          .points.front();
  PointWorker worker(data_root().string(), folder / "points", "");
  const PointOutcome end = worker.run(
      point, [](int64_t) {}, [] { return false; });
  EXPECT_EQ(end, PointOutcome{}) << end.message;

  const std::vector<fs::path> known{fs::canonical(folder / "part0.safetensors")};
  EXPECT_NO_THROW(require_digested(known, point.digested_files));
  const std::vector<fs::path> unknown{fs::canonical(folder / "points")};
  EXPECT_THROW(require_digested(unknown, point.digested_files), Error);
}

TEST(Identity, WhoRunsAPointTakesItsDigestsFromIt) {
  const fs::path folder = fresh("carried");
  Point point = points_of(tiny_model() + std::vector<std::string>{"gen.images=1"},
                          PointIdentity::kHashed, false)
                    .points.front();
  ASSERT_FALSE(point.digests.empty());
  point.digests.emplace_back("model.weights", "the digest it carries");
  PointWorker worker(data_root().string(), folder / "points", "");
  EXPECT_THAT(worker.provenance_of(point), testing::HasSubstr("the digest it carries"));
}

}  // namespace
}  // namespace kvscope
