#include "experiments/commands/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/weight_check.h"
#include "core/config/compose.h"
#include "core/models/image_model.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/json_output.h"

namespace kvscope {
namespace {

int64_t elements_of(const TensorMap& tensors) {
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) count += tensor.numel();
  return count;
}

int64_t bytes_of(const TensorMap& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

// Names come from files of anybody: control characters must not reach a terminal.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    shown += code < 0x20 || code == 0x7f ? fmt::format("\\x{:02x}", code) : std::string(1, letter);
  }
  return shown;
}

// "file:..." words of a command line: Hydra's overrides have a '=' or begin with '~'.
bool is_override(const std::string& word) {
  return (word.find('=') != word.npos || word.starts_with('~')) && !std::filesystem::exists(word);
}

std::string part_name(const std::string& part) {
  return part.ends_with('.') ? part.substr(0, part.size() - 1) : part;
}

nlohmann::ordered_json checkpoint_json(const std::filesystem::path& file,
                                       const Checkpoint& checkpoint) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const auto& [name, tensor] : checkpoint.tensors) {
    tensors.push_back({{"name", name},
                       {"dtype", dtype_name(tensor.scalar_type())},
                       {"shape", tensor.sizes().vec()},
                       {"bytes", tensor.nbytes()}});
  }
  return {{"file", file.string()},
          {"container", checkpoint.container},
          {"files", checkpoint.files},
          {"elements", elements_of(checkpoint.tensors)},
          {"bytes", bytes_of(checkpoint.tensors)},
          {"metadata", checkpoint.metadata},
          {"tensors", std::move(tensors)}};
}

}  // namespace

int weights_inspect_command(const std::filesystem::path& file, bool json) {
  const Checkpoint checkpoint = open_checkpoint(file);
  if (json) {
    print_json(checkpoint_json(file, checkpoint));
    return 0;
  }
  fmt::print("{}: {}, {} file{}, {} tensors, {} elements, {} bytes\n", file.string(),
             checkpoint.container, checkpoint.files, checkpoint.files == 1 ? "" : "s",
             checkpoint.tensors.size(), elements_of(checkpoint.tensors),
             bytes_of(checkpoint.tensors));
  for (const auto& [key, value] : checkpoint.metadata) {
    fmt::print("  {} = {}\n", printable(key), printable(value));
  }
  size_t name_width = 4;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    name_width = std::max(name_width, printable(name).size());
  }
  constexpr size_t kWidest = 72;  // one long name must not push all columns away
  name_width = std::min(name_width, kWidest);
  fmt::print("  {:<{}}  {:<9}  {:>12}  {}\n", "name", name_width, "dtype", "bytes", "shape");
  for (const auto& [name, tensor] : checkpoint.tensors) {
    fmt::print("  {:<{}}  {:<9}  {:>12}  [{}]{}\n", printable(name), name_width,
               dtype_name(tensor.scalar_type()), tensor.nbytes(), fmt::join(tensor.sizes(), ", "),
               tensor.is_contiguous() ? "" : " strided");
  }
  std::fflush(stdout);
  return 0;
}

int weights_check_command(ConfigArguments arguments, bool json) {
  const auto first_file = std::ranges::stable_partition(arguments.overrides, is_override);
  const std::vector<std::string> files(first_file.begin(), first_file.end());
  arguments.overrides.erase(first_file.begin(), first_file.end());
  if (files.size() != 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("kvscope weights check: expected one file or folder and overrides such "
                            "as model=infinity_2b, found {} files",
                            files.size()));
  }
  const ConfigNode model = compose(compose_request(arguments)).config.at("model");
  const std::string& name = model.at("name").as_string();
  const TensorMap tensors = read_checkpoint(files.front());
  const std::vector<WeightSpec> specs = model_tensors(model);
  require_weights(specs, tensors, files.front(), name);

  const WeightReport report = compare_weights(specs, tensors);
  if (json) {
    std::vector<std::string> absent;
    absent.reserve(report.absent_parts.size());
    for (const std::string& part : report.absent_parts) absent.push_back(part_name(part));
    print_json({{"file", files.front()},
                {"model", name},
                {"tensors", report.matched},
                {"unexpected", report.unexpected},
                {"absent_parts", absent}});
    return 0;
  }
  fmt::print("{} fits {}: {} tensors, {} unexpected\n", files.front(), name, report.matched,
             report.unexpected.size());
  for (const std::string& part : report.absent_parts) {
    const auto count = std::ranges::count_if(
        specs, [&part](const WeightSpec& spec) { return spec.part == part && !spec.buffer; });
    fmt::print("  not in this file: {} ({} tensors)\n", part_name(part), count);
  }
  std::fflush(stdout);
  return 0;
}

int weights_convert_command(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (to.extension() != ".safetensors") {
    throw Error(ErrorKind::kConfig, fmt::format("kvscope weights convert: '{}' must end in "
                                                ".safetensors, the format that is written",
                                                to.string()));
  }
  Checkpoint checkpoint = open_checkpoint(from);
  checkpoint.metadata.try_emplace("format", "pt");  // what the Hugging Face libraries ask for
  write_safetensors(to, checkpoint.tensors.entries(), checkpoint.metadata);
  fmt::print("{}: {} tensors, {} bytes\n", to.string(), checkpoint.tensors.size(),
             bytes_of(checkpoint.tensors));
  std::fflush(stdout);
  return 0;
}

void register_weights(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("weights", "checkpoint files: inspect, check, convert");
  const std::string kinds = "safetensors or PyTorch file, *.index.json, or folder";
  const auto from = std::make_shared<std::filesystem::path>();
  const auto json = std::make_shared<bool>(false);
  CLI::App& inspect = group.add("inspect", "names, dtypes and shapes; nothing in the file is run",
                                [=] { return weights_inspect_command(*from, *json); });
  inspect.add_option("file", *from, kinds)->required();
  add_json_flag(inspect, *json);
  const auto config = std::make_shared<ConfigArguments>();
  CLI::App& check = group.add("check", "whether a file holds the tensors of a model",
                              [=] { return weights_check_command(*config, *json); });
  add_config_options(check, *config);
  add_json_flag(check, *json);
  check.footer("kvscope weights check model=infinity_2b FILE: the file, a " + kinds +
               ", stands among the overrides. Missing tensors and wrong shapes exit with 3.");
  const auto to = std::make_shared<std::filesystem::path>();
  CLI::App& convert = group.add("convert", "any checkpoint as one safetensors file",
                                [=] { return weights_convert_command(*from, *to); });
  convert.add_option("in", *from, kinds)->required();
  convert.add_option("out", *to, "OUT.safetensors, written whole or not at all")->required();
}

}  // namespace kvscope
