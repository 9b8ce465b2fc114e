#include "experiments/sweep/run_manifest.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/set_aside.h"
#include "core/device/device_facts.h"
#include "experiments/build_info.h"
#include "experiments/sweep/point_state.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// What follows `key` on the first line that begins with it: "model name : ..." of /proc/cpuinfo.
std::string line_value(const fs::path& file, std::string_view key, char between) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find(between);
    if (begin == std::string::npos) continue;
    std::string value = line.substr(begin + 1);
    while (value.starts_with(' ') || value.starts_with('"')) value.erase(0, 1);
    while (value.ends_with(' ') || value.ends_with('"')) value.pop_back();
    return value;
  }
  return "";
}

ordered_json or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json machine() {
  const std::string megahertz = line_value("/proc/cpuinfo", "cpu MHz", ':');
  utsname system{};
  uname(&system);
  return {{"host", system.nodename},
          {"cpu", or_null(line_value("/proc/cpuinfo", "model name", ':'))},
          {"cores", std::thread::hardware_concurrency()},
          {"clock_mhz",
           megahertz.empty() ? ordered_json() : ordered_json(std::atof(megahertz.c_str()))},
          {"memory_bytes", int64_t{sysconf(_SC_PHYS_PAGES)} * int64_t{sysconf(_SC_PAGESIZE)}},
          {"os", or_null(line_value("/etc/os-release", "PRETTY_NAME", '='))},
          {"kernel", std::string(system.sysname) + " " + system.release}};
}

ordered_json build() {
  const BuildInfo& info = build_info();
  ordered_json libraries;
  for (const auto& [name, version] : info.libraries) libraries[name] = version;
  return {{"git_commit", or_null(info.commit)},
          {"git_dirty", info.is_dirty},
          {"compiler", info.compiler},
          {"flags", info.flags},
          {"libraries", std::move(libraries)}};
}

/// What result files do not keep of a device.
ordered_json device_of(at::Device device) {
  ordered_json json{{"name", device.str()}};
  if (device.is_cpu()) return json;
  try {
    const DeviceFacts facts = device_facts(device);
    json["gpu"] = facts.name;
    json["memory_bytes"] = facts.memory_bytes;
    json["driver"] = or_null(facts.driver.value_or(""));
    json["cuda_runtime"] = or_null(facts.cuda_runtime.value_or(""));
  } catch (const Error&) {
    // A device that does not answer is for whoever uses it to say.
  }
  return json;
}

}  // namespace

RunManifest::RunManifest(fs::path folder,
                         const std::string& provenance,
                         std::optional<at::Device> device,
                         int64_t images)
    : file_(std::move(folder) / "manifest.json"),
      json_(ordered_json::parse(provenance, nullptr, false)) {
  if (!json_.is_object()) json_ = ordered_json::object();
  std::error_code unknown;
  json_["working_folder"] = fs::current_path(unknown).string();
  json_["environment"] = allowed_environment();
  json_["machine"] = machine();
  if (device) json_["device_facts"] = device_of(*device);
  json_["build"] = build();
  json_["images"] = images;
  json_["started"] = utc_now();
  json_["finished"] = nullptr;
  json_["wall_s"] = nullptr;
  json_["images_made"] = nullptr;
  json_["outcome"] = nullptr;
  if (fs::is_directory(file_, unknown)) set_aside(file_);
  write();
}

void RunManifest::finish(const std::string& outcome, int64_t images_made) {
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
  json_["finished"] = utc_now();
  json_["wall_s"] = taken.count();
  json_["images_made"] = images_made;
  json_["outcome"] = outcome;
  try {
    write();
  } catch (const Error&) {
    return;
  }
}

void RunManifest::write() const {
  write_file_atomically(file_,
                        json_.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

ordered_json allowed_environment() {
  constexpr std::array<std::string_view, 5> kNames = {"CUDA_VISIBLE_DEVICES",
                                                      "PYTORCH_CUDA_ALLOC_CONF", "MKL_NUM_THREADS",
                                                      "HDF5_USE_FILE_LOCKING", "OMP_NUM_THREADS"};
  constexpr std::array<std::string_view, 3> kBeginnings = {"OMP_", "SLURM_", "KVSCOPE_"};
  constexpr std::array<std::string_view, 5> kSecrets = {"JWT", "TOKEN", "SECRET", "PASS", "KEY"};
  ordered_json allowed = ordered_json::object();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (name.size() == text.size()) continue;
    const auto is_name = [&](std::string_view one) { return one == name; };
    const auto begins = [&](std::string_view one) { return name.starts_with(one); };
    const auto holds = [&](std::string_view one) { return name.find(one) != name.npos; };
    const bool is_allowed =
        std::ranges::any_of(kNames, is_name) ||
        (std::ranges::any_of(kBeginnings, begins) && !std::ranges::any_of(kSecrets, holds));
    if (is_allowed) allowed[std::string(name)] = std::string(text.substr(name.size() + 1));
  }
  return allowed;
}

}  // namespace kvscope
