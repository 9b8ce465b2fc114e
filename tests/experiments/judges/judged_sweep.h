#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "experiments/judges/judge_json.h"
#include "test_paths.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {

inline std::filesystem::path judges_golden(const std::string& name) {
  return std::filesystem::path(kSourceDir) / "tests/golden/judges" / name;
}

inline std::string file_content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// A finished point of `replicas` images a prompt, each of another colour.
inline std::filesystem::path write_judged_point(const std::filesystem::path& sweep,
                                                const std::string& policy,
                                                const std::vector<std::string>& prompts,
                                                int64_t replicas,
                                                int64_t side = 8) {
  PointInfo point = sample_point(policy, policy == "full" ? 1 : 0.1,
                                 static_cast<int64_t>(prompts.size()) * replicas);
  point.labels[0].second = "infinity_2b";
  point.config_yaml =
      "policy: " + policy + "\ngen: {cfg: 4, tau: 1, top_k: 900, top_p: 0.97, seed: 0}\n";
  point.replicas = replicas;
  point.prompt_bytes = 400;
  const std::filesystem::path folder = sweep / "points" / point.point_hash.substr(0, 12);
  ResultWriter writer(folder / "result.h5", point);
  for (uint64_t prompt = 0; prompt < prompts.size(); ++prompt) {
    for (uint64_t replica = 0; replica < static_cast<uint64_t>(replicas); ++replica) {
      ImageRow row = sample_row(prompt);
      row.image_index = image_number(prompt, replica);
      row.prompt_id = prompt;
      row.prompt = prompts[prompt];
      row.seed = prompt + 1000 * replica;
      row.token_sha256 = sha256_hex(fmt::format("{} {}", prompt, replica));
      Image image(side, side);
      for (size_t i = 0; i < image.rgb.size(); ++i) {
        image.rgb[i] = static_cast<uint8_t>(13 * prompt + 5 * replica + i % 7);
      }
      write_result_image(folder, point, row, image);
      writer.append(row);
    }
  }
  writer.finish();
  return folder;
}

/// A judge's prompt list as its file is, made of a golden file, and the prompts in its order.
struct GoldenPrompts {
  std::filesystem::path path{};
  std::vector<std::string> texts{};
};

/// Of every judge that has a golden folder; written below `folder`.
inline GoldenPrompts golden_prompts(const std::string& judge, const std::filesystem::path& folder) {
  GoldenPrompts prompts;
  std::filesystem::create_directories(folder);
  if (judge == "geneval") {
    prompts.path = folder / "evaluation_metadata.jsonl";
    std::string lines;
    const JudgeJson list =
        parse_judge_json(file_content(judges_golden("geneval_metadata.json")), "golden");
    for (size_t i = 0; i < 3; ++i) {
      lines += python_json(list[i]["metadata"]) + "\n";
      prompts.texts.push_back(list[i]["metadata"]["prompt"]);
    }
    write_text(prompts.path, lines);
  } else if (judge == "dpg") {
    prompts.path = judges_golden("dpg_bench.csv");
    prompts.texts = {"A chair made of ice beside a small blue lamp.",
                     "Three wooden boats on a calm lake at dusk.",
                     "A tall man in a red coat feeds two geese.",
                     "A round sign that says \"open\".",
                     "The handle of a green kettle.",
                     "A photo in the style of a woodcut."};
  } else if (judge == "hpsv2") {
    prompts.path = folder;
    for (const char* style : {"anime", "concept-art", "paintings", "photo"}) {
      JudgeJson list = JudgeJson::array();
      for (int i = 0; i < 3; ++i) {
        prompts.texts.push_back(fmt::format("{} prompt {}", style, i));
        list.push_back(prompts.texts.back());
      }
      write_text(folder / (std::string(style) + ".json"), list.dump());
    }
  } else if (judge == "imagereward" || judge == "imagereward_infinity") {
    prompts.path = judges_golden("imagereward_prompts.json");
    for (const JudgeJson& item : parse_judge_json(file_content(prompts.path), "golden")) {
      prompts.texts.push_back(item["prompt"]);
    }
  } else if (judge == "mjhq") {
    prompts.path = judges_golden("mjhq_meta_data.json");
    const JudgeJson list = parse_judge_json(file_content(prompts.path), "golden");
    for (const auto& [id, item] : list.items()) prompts.texts.push_back(item["prompt"]);
  } else {
    const int count = judge == "llamagen_t2i" || judge == "var_png" ? 5 : 4;
    for (int i = 0; i < count; ++i) prompts.texts.push_back(fmt::format("made-up caption {}", i));
  }
  return prompts;
}

}  // namespace kvscope
