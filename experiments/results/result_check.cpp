#include "experiments/results/result_check.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <type_traits>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/sha256.h"
#include "experiments/results/result_columns.h"

namespace kvscope {
namespace {

constexpr std::string_view kSealWords = "kvscope result, sha256 of what follows byte 512: ";
constexpr size_t kDigits = 64;

std::string seal_text(const MappedFile& file) {
  Sha256 digest;
  digest.update(file.data() + kSealBytes, static_cast<size_t>(file.size_bytes() - kSealBytes));
  return std::string(kSealWords) + digest.hex_digest() + "\n";
}

template <class T>
void add(Sha256& digest, const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    digest.update(&value, sizeof(value));
  } else {
    const uint64_t size = value.size();
    digest.update(&size, sizeof(size));
    digest.update(value.data(), value.size() * sizeof(*value.data()));
  }
}

}  // namespace

StoredMetrics stored_metrics(const ImageRow& row) {
  StoredMetrics values;
  for (const Metric& metric : metrics()) {
    if (metric.scope != MetricScope::kSet) values[metric.name] = row.metrics[metric.name];
  }
  return values;
}

uint64_t row_check(const PointInfo& point,
                   const ImageRow& row,
                   const StoredMetrics& metrics,
                   int64_t version) {
  Sha256 digest;
  for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
    if (column.metric == nullptr && column.since <= version) add(digest, column.get(row));
  });
  for (const auto& [name, value] : metrics) {
    add(digest, name);
    add(digest, value);
  }
  return std::stoull(digest.hex_digest().substr(0, 16), nullptr, 16);
}

std::string head_check(const PointInfo& point, bool finished, int64_t finished_unix_ns) {
  Sha256 digest;
  for (const std::string* text :
       {&point.point_hash, &point.setting_hash, &point.config_yaml, &point.manifest_json}) {
    add(digest, *text);
  }
  for (const std::string& text : point.overrides) add(digest, text);
  for (const auto& [name, text] : point.labels) {
    add(digest, name);
    add(digest, text);
  }
  for (const double number : {point.kept_tokens, point.full_tokens}) add(digest, number);
  for (const int64_t number : {int64_t{point.full_cache}, point.budget_tokens, point.target_tokens,
                               point.images, point.replicas, point.steps, point.token_bytes,
                               point.prompt_bytes, int64_t{finished}, finished_unix_ns}) {
    add(digest, number);
  }
  return digest.hex_digest();
}

void seal_file(const std::filesystem::path& path) {
  std::string text;
  {
    const MappedFile file(path);
    text = seal_text(file);
  }
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  stream.write(text.data(), std::ssize(text));
  stream.close();
  if (!stream) {
    throw Error(ErrorKind::kEnvironment, fmt::format("{}: cannot write its digest", path.string()));
  }
}

Seal seal_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto size = static_cast<size_t>(file.size_bytes());
  if (size < kSealBytes || std::memcmp(file.data(), kSealWords.data(), kSealWords.size()) != 0) {
    return Seal::kNone;
  }
  const std::string expected = seal_text(file);
  return std::memcmp(file.data(), expected.data(), expected.size()) == 0 ? Seal::kGood
                                                                         : Seal::kBroken;
}

}  // namespace kvscope
