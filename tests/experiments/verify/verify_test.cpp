// verify on damaged, incomplete and foreign files: a clear error or a failed verdict, never a pass.
#include "experiments/verify/verify.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "test_paths.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

// A copy of a golden file that a test may damage.
struct Copy {
  explicit Copy(const std::string& name) {
    const SafetensorsReader reader(kGolden / (name + ".safetensors"));
    metadata = reader.metadata();
    add(reader);
    if (!metadata.contains("weights_from")) return;
    add(SafetensorsReader(kGolden / metadata["weights_from"]), "model.");
    metadata.erase("weights_from");
  }
  void add(const SafetensorsReader& reader, const std::string& prefix = "") {
    for (const std::string& tensor : reader.names()) {
      if (tensor.starts_with(prefix)) tensors.emplace_back(tensor, reader.tensor(tensor).clone());
    }
  }
  at::Tensor& at(const std::string& name) {
    for (auto& [known, tensor] : tensors) {
      if (known == name) return tensor;
    }
    throw std::out_of_range(name);
  }
  void drop(const std::string& name) {
    std::erase_if(tensors, [&](const auto& entry) { return entry.first == name; });
  }
  fs::path write() const {
    const fs::path path = test_file("verify_copy.safetensors");
    write_safetensors(path, tensors, metadata);
    return path;
  }
  std::map<std::string, std::string> metadata;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
};

std::string error_of(const fs::path& path) {
  try {
    verify_file(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    return error.what();
  }
  return "no error";
}

bool group_ok(const std::vector<GroupResult>& results, const std::string& group) {
  for (const GroupResult& result : results) {
    if (result.group == group) return result.ok;
  }
  ADD_FAILURE() << "no group " << group;
  return true;
}

TEST(Verify, NamesTheKnownKindsForAnother) {
  Copy copy("infinity_vae_stride8");
  copy.metadata["kind"] = "diffusion";
  EXPECT_THAT(error_of(copy.write()),
              AllOf(HasSubstr("'diffusion'"), HasSubstr("infinity, infinity+scalekv"),
                    HasSubstr("t5_encoder"), HasSubstr("sp_cases")));
  copy.metadata.erase("kind");
  EXPECT_THAT(error_of(copy.write()), AllOf(HasSubstr("'kind'"), HasSubstr("infinity_vae")));
}

TEST(Verify, ADifferenceFailsItsGroupAlone) {
  Copy copy("infinity_tiny");
  copy.at("cache.v.3")[1][1][520][0] += 0.01;
  copy.at("logits.4")[0][0][0] = std::numeric_limits<float>::quiet_NaN();
  const auto results = verify_file(copy.write());
  EXPECT_FALSE(group_ok(results, "cache.v"));
  EXPECT_FALSE(group_ok(results, "logits"));
  EXPECT_TRUE(group_ok(results, "cache.k"));
  EXPECT_TRUE(group_ok(results, "summed_codes"));
}

TEST(Verify, AnotherWeightOrBitShows) {
  Copy weight("infinity_tiny");
  weight.at("model.block_chunks.1.module.0.sa.v_bias")[5] += 0.5;
  EXPECT_FALSE(group_ok(verify_file(weight.write()), "logits"));
  Copy bit("infinity_tiny");
  bit.at("bits.6")[1][15][15][7].bitwise_xor_(1);
  EXPECT_FALSE(group_ok(verify_file(bit.write()), "summed_codes"));
}

TEST(Verify, QueryHeadsThatReadAnotherKeyHeadShow) {
  Copy copy("gqa_decoder_tiny");
  at::Tensor& keys = copy.at("model.g6x3.model.layers.2.self_attn.k_proj.weight");
  at::Tensor& values = copy.at("model.g6x3.model.layers.2.self_attn.v_proj.weight");
  keys.copy_(keys.roll(16, 0));  // each head's 16 rows to the next head
  values.copy_(values.roll(16, 0));
  EXPECT_FALSE(group_ok(verify_file(copy.write()), "logits"));
}

TEST(Verify, CasesOfDecodersAreReadWithCare) {
  const auto error_with = [](const std::string& from, const std::string& to) {
    Copy copy("gqa_decoder_tiny");
    std::string& cases = copy.metadata["cases"];
    const size_t at = cases.find(from);
    if (at != std::string::npos) cases.replace(at, from.size(), to);
    return error_of(copy.write());
  };
  EXPECT_THAT(error_with("[{", "[{]"), AllOf(HasSubstr("'cases'"), HasSubstr("is not JSON")));
  EXPECT_THAT(error_with("\"rope_theta\": 10000.0", "\"rope_theta\": \"x\""),
              AllOf(HasSubstr("[0].rope_theta"), HasSubstr("expected a number")));
  EXPECT_THAT(error_with("\"kv_heads\": 2", "\"kv_heads\": 3"),
              HasSubstr("transformer.kv_heads 3 must divide transformer.heads 8"));
  EXPECT_THAT(error_with("\"kv_heads\": 2", "\"kv_heads\": 4"),
              HasSubstr("self_attn.k_proj.weight"));
  EXPECT_THAT(error_with("\"head_dim\": 16", "\"head_dim\": 32"), HasSubstr("expected 16"));
  EXPECT_THAT(error_with("\"layers\": 2", "\"layers\": 9000"), HasSubstr("layers"));
}

TEST(Verify, MissingTensorsAreNamed) {
  for (const std::string name :
       {"logits.3", "bits.2", "text.kv", "text.lens", "summed_codes",
        "model.block_chunks.0.module.1.ca.proj.bias", "model.lvl_embed.weight"}) {
    Copy copy("infinity_tiny");
    copy.drop(name);
    EXPECT_THAT(error_of(copy.write()), HasSubstr(name));
  }
}

TEST(Verify, WhatAFileDoesNotHoldIsSaidToBeAbsent) {
  Copy copy("infinity_tiny");
  copy.drop("cache.k.3");
  const auto absent = [](const fs::path& path) {
    std::vector<std::string> groups;
    for (const GroupResult& result : verify_file(path)) {
      if (result.compared) continue;
      EXPECT_THAT(result.note, HasSubstr("not in the file"));
      groups.push_back(result.group);
    }
    return groups;
  };
  EXPECT_EQ(absent(copy.write()), std::vector<std::string>{"cache.k"});

  Copy var("var_tiny");
  EXPECT_EQ(absent(var.write()), (std::vector<std::string>{"cache.k", "cache.v"}));
  var.drop("image");
  var.drop("logits.9");
  EXPECT_EQ(absent(var.write()), (std::vector<std::string>{"image", "cache.k", "cache.v"}));
  var.drop("model.head.weight");
  EXPECT_EQ(absent(var.write()),
            (std::vector<std::string>{"logits", "ids", "image", "cache.k", "cache.v"}));
}

TEST(Verify, BorrowedWeightsLieBesideTheFile) {
  Copy copy("var_tiny_shared_aln");
  for (const std::string name :
       {"../golden/var_tiny.safetensors", "", "..", "absent.safetensors"}) {
    copy.metadata["weights_from"] = name;
    EXPECT_NE(error_of(copy.write()), "no error") << name;
  }
}

TEST(Verify, AnyPartOfAVarRunThatDiffersShows) {
  const auto failed = [](const Copy& copy) {
    std::vector<std::string> groups;
    for (const GroupResult& result : verify_file(copy.write())) {
      if (!result.ok) groups.push_back(result.group);
    }
    return groups;
  };
  using testing::Contains;
  using testing::ElementsAre;
  Copy logit("var_tiny");
  logit.at("logits.9")[1][0][4095] += 0.01;
  EXPECT_THAT(failed(logit), ElementsAre("logits"));
  Copy pixel("var_tiny");
  pixel.at("image")[0][2][63][255] += 0.001;
  EXPECT_THAT(failed(pixel), ElementsAre("image"));
  Copy key("var_tiny_shared_aln");
  key.at("cache.k.1")[1][2][679][31] += 0.001;
  EXPECT_THAT(failed(key), ElementsAre("cache.k"));
  Copy last_id("var_tiny");  // of the last scale: nothing but the image depends on it
  last_id.at("ids.9")[0][255] = (last_id.at("ids.9")[0][255].item<int64_t>() + 1) % 4096;
  EXPECT_THAT(failed(last_id), AllOf(Contains("f_hat"), Contains("image")));
  Copy label("var_tiny_shared_aln");
  label.at("labels")[0] = (label.at("labels")[0].item<int64_t>() + 1) % 100;
  EXPECT_THAT(failed(label), ElementsAre("cache.k"));
  Copy phi("var_tiny_shared_aln");
  phi.at("vae.quantize.quant_resi.qresi_ls.2.bias")[3] += 0.01;
  EXPECT_THAT(failed(phi), Contains("f_hat"));
}

TEST(Verify, AVarFileThatDoesNotFitIsNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"depth", "3"},         {"width", "95"},
      {"heads", "5"},         {"num_classes", "99"},
      {"shared_aln", "no"},   {"patch_nums", "[]"},
      {"patch_nums", "[1]"},  {"patch_nums", "[1, 2.5]"},
      {"cfg", "[1, 2]"},      {"batch", "2"},
      {"vae_channels", "-1"}, {"shared_aln", "false"}};
  for (const auto& [key, value] : wrong) {
    Copy copy("var_tiny_shared_aln");
    copy.metadata[key] = value;
    EXPECT_THAT(error_of(copy.write()), HasSubstr("verify_copy.safetensors")) << key << value;
  }
  Copy ids("var_tiny_shared_aln");
  ids.at("ids.3")[0][2] = 4096;
  EXPECT_THAT(error_of(ids.write()), HasSubstr("ids.3"));
  ids.at("ids.3")[0][2] = -1;
  EXPECT_THAT(error_of(ids.write()), HasSubstr("ids.3"));
  Copy label("var_tiny_shared_aln");
  label.at("labels")[0] = 101;
  EXPECT_THAT(error_of(label.write()), HasSubstr("labels"));
}

TEST(Verify, MetadataThatDoesNotFitIsNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"depth", "5"},
      {"depth", "-1"},
      {"depth", "many"},
      {"width", "65"},
      {"heads", "0"},
      {"batch", "3"},
      {"vae_bits", "9"},
      {"schedule", "[[1, 1, 1]]"},
      {"schedule", "[]"},
      {"schedule", "[[2, 1, 1]]"},
      {"cfg", "[1, 2]"},
      {"cfg", "[NaN]"},
      {"ratio", "-1"},
      {"chunks", "3"},
      {"width", "99999999999999999999"}};
  for (const auto& [key, value] : wrong) {
    Copy copy("infinity_tiny");
    copy.metadata[key] = value;
    EXPECT_THAT(error_of(copy.write()), HasSubstr("verify_copy.safetensors")) << key << value;
  }
  Copy copy("infinity_tiny");
  copy.metadata.erase("heads");
  EXPECT_THAT(error_of(copy.write()), HasSubstr("'heads'"));
}

TEST(Verify, AnotherKeptTokenShows) {
  Copy copy("scalekv_tiny_2b");
  at::Tensor line = copy.at("kept.9.2")[1][3];
  // The first gap is closed by another token: not the one with the score that chose.
  int64_t at = 0;
  while (line[at + 1].item<int64_t>() - line[at].item<int64_t>() < 8) ++at;
  line[at] += 4;
  EXPECT_FALSE(group_ok(verify_file(copy.write()), "kept"));
  line[at] += 20'000;
  EXPECT_THAT(error_of(copy.write()), HasSubstr("verify_copy.safetensors"));
  copy.drop("kept.9.2");
  EXPECT_THAT(error_of(copy.write()), HasSubstr("kept.9.2"));
}

TEST(Verify, WrongShapesAndDamageAreErrors) {
  Copy copy("infinity_tiny");
  copy.at("logits.2") = copy.at("logits.2").slice(1, 0, 15).contiguous();
  EXPECT_THAT(error_of(copy.write()),
              AllOf(HasSubstr("logits.2"), HasSubstr("[2, 15, 16]"), HasSubstr("[2, 16, 16]")));
  copy = Copy("infinity_vae_stride8");
  copy.at("vae.decoder.conv_in.conv.weight") = at::zeros({128, 14, 5, 5});
  EXPECT_THAT(error_of(copy.write()), HasSubstr("decoder.conv_in.conv.weight"));

  const fs::path path = Copy("t5_encoder_tiny").write();
  fs::resize_file(path, fs::file_size(path) - 5);
  EXPECT_THAT(error_of(path), HasSubstr("verify_copy.safetensors"));
  EXPECT_THAT(error_of(kGolden / "nowhere.safetensors"), HasSubstr("nowhere"));
  EXPECT_NE(error_of(kGolden), "no error");
}

TEST(Verify, TokenizerCasesNeedOneModelAndAgree) {
  const fs::path folder = test_file("verify_pieces");
  fs::remove_all(folder);
  fs::create_directories(folder);
  const fs::path list = folder / "cases.json";
  const auto write = [&](const std::string& text) { std::ofstream(list) << text; };
  write(R"({"eos":1,"pad":0,"unk":2,"cases":[{"text":"a","ids":[4,1]}]})");
  EXPECT_THAT(error_of(list), HasSubstr(".model"));
  fs::copy_file(kGolden / "sp_unigram_tiny.model", folder / "pieces.model");
  EXPECT_TRUE(group_ok(verify_file(list), "ids"));
  write(R"({"eos":1,"pad":0,"unk":2,"cases":[{"text":"a","ids":[5,1]}]})");
  EXPECT_FALSE(group_ok(verify_file(list), "ids"));
  write(R"({"eos":1,"pad":0,"unk":2,"cases":[{"text":"a","ids":"4"}]})");
  EXPECT_THAT(error_of(list), HasSubstr("case 0"));
  write(R"({"words":[]})");
  EXPECT_THAT(error_of(list), HasSubstr("Known kinds"));
  write("{");
  EXPECT_THAT(error_of(list), HasSubstr("JSON"));
}

TEST(Verify, StatisticsSayWhatIsWrongAndWhatIsNotThere) {
  const fs::path file = test_file("verify_statistics.json");
  const auto write = [&](const std::string& text) { std::ofstream(file) << text; };
  write(R"({"multiple":[{"p":[0.01,0.5],"holm":[0.02,0.5]}],"odd":1})");
  EXPECT_TRUE(group_ok(verify_file(file), "holm"));
  EXPECT_TRUE(group_ok(verify_file(file), "(not compared)"));
  write(R"({"multiple":[{"p":[0.01,0.5],"holm":[0.02,0.51]}]})");
  EXPECT_FALSE(group_ok(verify_file(file), "holm"));
  write(R"({"paired":[{"x":[1],"y":[1],"cohen_dz":0}]})");
  EXPECT_FALSE(group_ok(verify_file(file), "effect size"));  // NaN
  write(R"({"paired":[{"x":[1,2],"y":[1]}]})");
  EXPECT_THAT(error_of(file), HasSubstr("file.paired.0.y: expected 2 numbers"));
  write(R"({"paired":[{"x":["a"],"y":[1]}]})");
  EXPECT_THAT(error_of(file), HasSubstr("file.paired.0.x"));
  write(R"({"distributions":{"t_ppf_2":[[1,2]]}})");
  EXPECT_THAT(error_of(file), HasSubstr("t_ppf_2"));
  write(R"({"multiple":[{"p":[2],"holm":[1]}]})");
  EXPECT_THAT(error_of(file), HasSubstr("p-value of 2"));
  write(R"({"paired":[]})");
  EXPECT_THAT(error_of(file), HasSubstr("no statistics"));
}

}  // namespace
}  // namespace kvscope
