#include "experiments/sweep/provenance.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/device/device_facts.h"
#include "experiments/build_info.h"
#include "experiments/sweep/digests.h"
#include "experiments/version.h"

namespace kvscope {
namespace {

std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

}  // namespace

std::string git_commit(const std::filesystem::path& folder) {
  const std::filesystem::path git = folder / ".git";
  const std::string head = first_line(git / "HEAD");
  constexpr std::string_view kReference = "ref: ";
  if (!head.starts_with(kReference)) return head;
  const std::string name = head.substr(kReference.size());
  if (const std::string commit = first_line(git / name); !commit.empty()) return commit;
  std::ifstream packed(git / "packed-refs");
  for (std::string line; std::getline(packed, line);) {
    if (line.ends_with(" " + name)) return line.substr(0, line.find(' '));
  }
  return "";
}

std::string manifest_json(const Provenance& provenance, const std::filesystem::path& root) {
  nlohmann::ordered_json manifest;
  manifest["tool"] = "kvscope";
  manifest["version"] = kVersion;
  const BuildInfo& build = build_info();
  manifest["git_commit"] = build.commit.empty() ? git_commit(root) : build.commit;
  manifest["git_dirty"] = build.is_dirty;
  manifest["command_line"] = provenance.command_line;
  manifest["cpu"] = device_facts(c10::kCPU).name;
  manifest["cores"] = std::thread::hardware_concurrency();
  manifest["threads"] = provenance.threads.value_or(at::get_num_threads());
  manifest["libtorch"] = TORCH_VERSION;
  manifest["device"] = provenance.device;
  if (!provenance.gpu.empty()) manifest["gpu"] = provenance.gpu;
  for (const auto& [key, digest] : provenance.digests) {
    if (key == kResultsVersionKey) {
      manifest[key] = digest;
    } else {  // late metrics compare the files of models among themselves
      manifest[key.starts_with("model.") ? "sha256" : "sha256_others"][key] = digest;
    }
  }
  return manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kvscope
