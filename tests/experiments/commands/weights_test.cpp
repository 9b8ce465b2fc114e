#include "experiments/commands/weights.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "test_paths.h"
#include "tests/core/checkpoint/torch_file.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

Answer weights(const std::vector<std::string>& arguments) {
  return answer(std::vector<std::string>{"weights"} + arguments);
}

// The embedded model's file, with one tensor called otherwise if `renamed` is not empty.
fs::path embedded_copy(const std::string& renamed, const std::string& name_now) {
  const fs::path path = checkpoint_folder("weights") / "copy.safetensors";
  TensorMap copy;
  for (const auto& [name, tensor] :
       read_checkpoint(fs::path(kSourceDir) / "models/shapes_next_scale/model.safetensors")) {
    copy.set(name == renamed ? name_now : name, tensor);
  }
  write_safetensors(path, copy.entries());
  return path;
}

TEST(WeightsCommand, InspectListsWhatTheFileHolds) {
  const Answer torch = weights({"inspect", (kGolden / "bad/namespace.bin").string()});
  EXPECT_EQ(torch.exit_code, 0) << torch.err;
  EXPECT_THAT(torch.out, AllOf(HasSubstr("PyTorch zip archive, 1 file, 2 tensors, 10 elements, "
                                         "32 bytes"),
                               HasSubstr("bf16"), HasSubstr("[2, 3]")));
  const Answer shards = weights({"inspect", (kGolden / "janus_tiny_sharded").string()});
  EXPECT_THAT(shards.out, AllOf(HasSubstr("2 files, 44 tensors"),
                                HasSubstr("language_model.model.layers.0.self_attn.q_proj")));
  const Answer safetensors =
      weights({"inspect", (kGolden / "t5_encoder_tiny.safetensors").string()});
  EXPECT_THAT(safetensors.out, AllOf(HasSubstr("safetensors, 1 file"), HasSubstr("d_model = 64")));
  const Answer bad = weights({"inspect", (kGolden / "bad/os_system.bin").string()});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_THAT(bad.err, HasSubstr("posix.system"));
}

TEST(WeightsCommand, InspectShowsNoControlCharacters) {
  const fs::path path = checkpoint_folder("control") / "x.safetensors";
  write_safetensors(path, std::vector<TensorMap::Entry>{{"a\x1b[31mred", at::ones({1})}},
                    {{"k", "bell\a"}});
  const Answer shown = weights({"inspect", path.string()});
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("a\\x1b[31mred"), HasSubstr("bell\\x07"), Not(HasSubstr("\x1b"))));
}

TEST(WeightsCommand, CheckAcceptsTheEmbeddedModel) {
  const Answer fits = weights({"check", "model=shapes_next_scale", embedded_copy("", "").string()});
  EXPECT_EQ(fits.exit_code, 0) << fits.err;
  EXPECT_THAT(fits.out, AllOf(HasSubstr("fits shapes_next_scale"), HasSubstr("0 unexpected")));
}

TEST(WeightsCommand, CheckNamesARenamedTensorByBothNames) {
  const fs::path path = embedded_copy("model.head.weight", "model.haed.weight");
  const Answer renamed = weights({"check", "model=shapes_next_scale", path.string()});
  EXPECT_EQ(renamed.exit_code, 3);
  EXPECT_THAT(renamed.err,
              AllOf(HasSubstr("copy.safetensors does not fit shapes_next_scale"),
                    HasSubstr("missing 'model.head.weight'"),
                    HasSubstr("the nearest of that shape in the file is 'model.haed.weight'"),
                    HasSubstr("unexpected 'model.haed.weight'")));
  EXPECT_EQ(renamed.out, "");
}

TEST(WeightsCommand, CheckComparesShapesWithTheOverrides) {
  const Answer deeper = weights({"check", "model=shapes_next_scale", "model.transformer.width=96",
                                 embedded_copy("", "").string()});
  EXPECT_EQ(deeper.exit_code, 3);
  EXPECT_THAT(deeper.err, AllOf(HasSubstr("has shape [1, 1, 192], expected [1, 1, 96]"),
                                HasSubstr("of another shape")));
}

TEST(WeightsCommand, CheckWantsOneFileAndAModel) {
  EXPECT_EQ(weights({"check", "model=shapes_next_scale"}).exit_code, 2);
  EXPECT_EQ(weights({"check", "model=shapes_next_scale", "a.bin", "b.bin"}).exit_code, 2);
  EXPECT_EQ(weights({"check", "model=shapes_next_scale", "absent.bin"}).exit_code, 3);
  const Answer typo = weights({"check", "model=shapes_next_scal", "a.bin"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.err, HasSubstr("Did you mean 'shapes_next_scale'?"));
  EXPECT_THAT(weights({"chek"}).err, HasSubstr("Did you mean 'check'?"));
}

TEST(WeightsCommand, ConvertWritesExactlyTheListedValuesOrNothing) {
  std::ifstream stream(kGolden / "bad/expected.json");
  const nlohmann::json expected = nlohmann::json::parse(stream);
  const fs::path folder = checkpoint_folder("convert_command");
  for (const nlohmann::json& one : expected.at("cases")) {
    const std::string file = one.at("file");
    const fs::path out = folder / (file + ".safetensors");
    const Answer converted = weights({"convert", (kGolden / "bad" / file).string(), out.string()});
    if (one.at("expect") == "refuse" || (one.at("expect") == "either" && !fs::exists(out))) {
      EXPECT_EQ(converted.exit_code, 3) << file;
      EXPECT_THAT(converted.err, HasSubstr(file));
      EXPECT_FALSE(fs::exists(out)) << file;
      continue;
    }
    ASSERT_EQ(converted.exit_code, 0) << file << converted.err;
    const SafetensorsReader written(out);
    EXPECT_EQ(written.metadata("format"), "pt");
    ASSERT_EQ(written.names().size(), one.at("tensors").size()) << file;
    for (const auto& [name, wanted] : one.at("tensors").items()) {
      const at::Tensor tensor = written.tensor(name);
      EXPECT_EQ(tensor.scalar_type(), wanted.at("dtype") == "float32" ? at::kFloat : at::kBFloat16);
      EXPECT_EQ(tensor.sizes().vec(), wanted.at("shape").get<std::vector<int64_t>>());
      const auto values = wanted.at("values").get<std::vector<double>>();
      EXPECT_TRUE(tensor.to(at::kDouble).flatten().equal(at::tensor(values, at::kDouble))) << file;
    }
  }
  for (const auto& item : fs::directory_iterator(folder)) {
    EXPECT_EQ(item.path().extension(), ".safetensors") << "left behind";
  }
}

TEST(WeightsCommand, ConvertReplacesWholeFilesOnly) {
  const fs::path out = checkpoint_folder("replace") / "out.safetensors";
  const std::string good = (kGolden / "janus_tiny_sharded").string();
  ASSERT_EQ(weights({"convert", good, out.string()}).exit_code, 0);
  const std::string before = read_bytes(out);
  EXPECT_EQ(weights({"convert", (kGolden / "bad/truncated.bin").string(), out.string()}).exit_code,
            3);
  EXPECT_EQ(read_bytes(out), before);
  // A file may even replace itself: it is read until the new one takes its name.
  ASSERT_EQ(weights({"convert", out.string(), out.string()}).exit_code, 0);
  EXPECT_EQ(read_checkpoint(out).size(), 44);
  EXPECT_EQ(weights({"convert", good, (out.parent_path() / "out.bin").string()}).exit_code, 2);
  EXPECT_EQ(weights({"convert", good, "/proc/none/out.safetensors"}).exit_code, 3);
}

TEST(WeightsCommand, HelpSaysWhatEachDoes) {
  EXPECT_THAT(weights({"--help"}).out,
              AllOf(HasSubstr("inspect"), HasSubstr("check"), HasSubstr("convert")));
  EXPECT_THAT(weights({"convert", "--help"}).out, HasSubstr("whole or not at all"));
  EXPECT_THAT(weights({"check", "--help"}).out, HasSubstr("model=infinity_2b FILE"));
}

}  // namespace
}  // namespace kvscope
