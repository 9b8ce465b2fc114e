#include "experiments/verify/verify.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <array>
#include <new>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"
#include "core/device/device_error.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/metrics/clip_groups.h"

namespace kvscope {
namespace {

using verify::GoldenFile;

struct Kind {
  const char* name;
  const char* summary;
  std::vector<GroupResult> (*check)(GoldenFile&);  // null: a .json file, not safetensors
};

constexpr std::array kKinds = {
#define KVSCOPE_VERIFY_KIND(name, kind, summary) Kind{kind, summary, verify::verify_##name},
#include "experiments/verify/kinds.def"
#undef KVSCOPE_VERIFY_KIND
    Kind{"sp_cases", "SentencePiece ids (.json beside a .model)", nullptr},
    Kind{"clip_cases", "CLIP's ids (.json beside its vocabulary, in every published form)",
         nullptr},
    Kind{"bpe_cases", "byte-level BPE ids (.json beside a folder with a tokenizer.json)", nullptr},
    Kind{"statistics", "tests of pairs, adjusted p-values, summaries (.json)", nullptr},
};

std::string known_kinds() {
  std::string list;
  for (const Kind& kind : kKinds) list += (list.empty() ? "" : ", ") + std::string(kind.name);
  return list;
}

std::vector<GroupResult> verify_safetensors(const std::filesystem::path& path, c10::Device device) {
  GoldenFile file(path, device);
  if (!file.has_key("kind")) {
    file.fail("metadata 'kind' is missing, so it is no recorded run. Known kinds: " +
              known_kinds());
  }
  for (const Kind& kind : kKinds) {
    if (kind.check == nullptr || file.text("kind") != kind.name) continue;
    std::vector<GroupResult> results = kind.check(file);
    const std::vector<std::string> unread = file.unread();
    if (!unread.empty()) {
      results.push_back({.group = "(not compared)",
                         .ok = true,
                         .note = fmt::format("{} tensors mean nothing to this kind, first '{}'",
                                             unread.size(), unread.front())});
    }
    return results;
  }
  file.fail(fmt::format("unknown kind '{}'. Known kinds: {}", file.text("kind"), known_kinds()));
}

std::vector<GroupResult> verify_any(const std::filesystem::path& path, c10::Device device) {
  if (path.extension() != ".json") return verify_safetensors(path, device);
  if (verify::is_sp_cases(path)) return verify::verify_sp_cases(path);
  if (verify::is_clip_cases(path)) return verify::verify_clip_cases(path);
  if (verify::is_bpe_cases(path)) return verify::verify_bpe_cases(path);
  if (verify::is_statistics_cases(path)) return verify::verify_statistics_cases(path);
  throw Error(ErrorKind::kInput,
              fmt::format("{}: unknown kind of JSON file: expected SentencePiece cases (eos, pad, "
                          "unk, cases), BPE cases (bos, cases) or statistics (paired, multiple, "
                          "summary, distributions). Known kinds: {}",
                          path.string(), known_kinds()));
}

}  // namespace

std::vector<VerifyKind> verify_kinds() {
  std::vector<VerifyKind> kinds;
  for (const Kind& kind : kKinds) kinds.push_back({kind.name, kind.summary});
  return kinds;
}

std::vector<GroupResult> verify_file(const std::filesystem::path& path, c10::Device device) {
  const auto damaged = [&](const std::string& message) {
    const bool named = message.find(path.string()) != std::string::npos;
    return Error(ErrorKind::kInput, named ? message : path.string() + ": " + message);
  };
  try {
    return verify_any(path, device);
  } catch (const Error& error) {
    // What is a wrong setting or a failed audit elsewhere is a damaged file here.
    const bool environment = error.kind() == ErrorKind::kEnvironment;
    if (!environment && error.kind() != ErrorKind::kNumerics) throw damaged(error.what());
    throw Error(error.kind(), path.string() + ": " + error.what());
  } catch (const c10::Error& error) {
    if (const auto failed = device_error(error)) {
      throw Error(failed->kind(), path.string() + ": " + failed->what());
    }
    throw damaged(std::string("its tensors do not fit together: ") +
                  error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kEnvironment,
                path.string() + ": not enough memory to recompute this file");
  }
}

}  // namespace kvscope
