#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "experiments/results/result_check.h"
#include "experiments/results/result_columns.h"
#include "experiments/results/result_schema.h"

namespace kvscope {
namespace {

template <class T>
T attribute(const hdf5::Object& object, const std::string& name) {
  const hdf5::AttributeValue value = object.attribute(name);
  if (const T* content = std::get_if<T>(&value)) return *content;
  throw Error(ErrorKind::kInput,
              fmt::format("{}@{}: has another type than result files write", object.where(), name));
}

int64_t schema_version(const hdf5::Group& root) {
  const auto schema = attribute<std::string>(root, "schema");
  const auto version = attribute<int64_t>(root, "schema_version");
  if (schema != kResultSchema || version < 1 || version > kResultSchemaVersion) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: schema '{}' version {}, expected '{}' version 1 to {}",
                            root.where(), schema, version, kResultSchema, kResultSchemaVersion));
  }
  return version;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::vector<std::pair<std::string, std::string>> read_labels(const hdf5::Group& root) {
  const auto json = nlohmann::json::parse(root.read_text(kLabelsPlace), nullptr, false);
  std::vector<std::pair<std::string, std::string>> labels;
  bool good = json.is_array();
  if (good) {
    for (const auto& entry : json) {
      good = good && entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
             entry[1].is_string();
      if (good) labels.emplace_back(entry[0].get<std::string>(), entry[1].get<std::string>());
    }
  }
  if (good) return labels;
  throw Error(ErrorKind::kInput, fmt::format("{}{}: expected a JSON list of [name, text] pairs",
                                             root.where(), kLabelsPlace));
}

PointInfo read_point(const hdf5::Group& root, int64_t version) {
  PointInfo point;
  point.point_hash = attribute<std::string>(root, "point");
  point.full_cache = attribute<int64_t>(root, "full_cache") != 0;
  point.kept_tokens = attribute<double>(root, "kept_tokens");
  point.full_tokens = attribute<double>(root, "full_tokens");
  if (version >= 2) {
    point.budget_tokens = attribute<int64_t>(root, "budget_tokens");
    point.target_tokens = attribute<int64_t>(root, "cut_tokens");
  }
  point.images = attribute<int64_t>(root, "images");
  if (version >= 3) {
    point.setting_hash = attribute<std::string>(root, "setting");
    point.replicas = attribute<int64_t>(root, "replicas");
  }
  point.steps = attribute<int64_t>(root, "steps");
  point.token_bytes = attribute<int64_t>(root, "token_bytes");
  point.prompt_bytes = attribute<int64_t>(root, "prompt_bytes");
  point.config_yaml = root.read_text(kConfigPlace);
  point.overrides = lines_of(root.read_text(kOverridesPlace));
  point.manifest_json = root.read_text(kManifestPlace);
  point.labels = read_labels(root);
  if (root.contains(kMetricOriginsPlace)) {
    point.metric_origins =
        origins_from_json(root.read_text(kMetricOriginsPlace), root.where() + kMetricOriginsPlace);
  }
  return point;
}

/// Rows are never compressed, so a column that claims more bytes than its file has is damaged; to
/// believe it would ask for that memory.
void check_size(const hdf5::Dataset& dataset, uint64_t file_bytes) {
  auto claimed_bytes =
      static_cast<double>(hdf5::element_bytes(dataset.element(), dataset.text_bytes()));
  claimed_bytes *= static_cast<double>(dataset.rows());
  for (const int64_t size : dataset.row_shape()) claimed_bytes *= static_cast<double>(size);
  if (claimed_bytes > static_cast<double>(file_bytes)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: damaged: claims {} rows, more than a file of {} bytes holds",
                            dataset.where(), dataset.rows(), file_bytes));
  }
}

/// Which rows are complete.
std::vector<uint64_t> written_rows(const hdf5::Group& root, int64_t rows, uint64_t file_bytes) {
  const hdf5::Dataset dataset = root.dataset(kWrittenPlace);
  check_size(dataset, file_bytes);
  const auto flags = dataset.read<uint8_t>();
  if (std::ssize(flags) != rows || !dataset.row_shape().empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: damaged: {} values, expected {}",
                                               dataset.where(), flags.size(), rows));
  }
  std::vector<uint64_t> written;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] != 0) written.push_back(i);
  }
  return written;
}

template <class T>
void read_column(const hdf5::Dataset& dataset,
                 const ResultColumn<T>& column,
                 const std::vector<uint64_t>& written,
                 std::vector<ImageRow>& rows) {
  if constexpr (std::is_same_v<T, std::vector<double>> || std::is_same_v<T, std::vector<uint8_t>>) {
    const auto width = static_cast<size_t>(column.width);
    const auto values = dataset.read<typename T::value_type>();
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto begin = values.begin() + static_cast<ptrdiff_t>(written[i] * width);
      column.set(rows[i], T(begin, begin + static_cast<ptrdiff_t>(width)));
    }
  } else {
    const auto values = dataset.read<T>();
    for (size_t i = 0; i < rows.size(); ++i) column.set(rows[i], values[written[i]]);
  }
}

template <class T>
void check_shape(const hdf5::Dataset& dataset, const ResultColumn<T>& column, int64_t images) {
  std::vector<int64_t> expected = {images};
  if constexpr (std::is_same_v<T, std::vector<double>> || std::is_same_v<T, std::vector<uint8_t>>) {
    expected.push_back(column.width);
  }
  std::vector<int64_t> found = dataset.row_shape();
  found.insert(found.begin(), dataset.rows());
  if (found != expected) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: damaged: shape [{}], expected [{}]", dataset.where(),
                            fmt::join(found, ", "), fmt::join(expected, ", ")));
  }
}

/// Metrics of each row as the file has them, those that nobody knows today too.
std::vector<StoredMetrics> read_metrics(const hdf5::Group& root,
                                        const std::vector<uint64_t>& written,
                                        uint64_t file_bytes) {
  std::vector<StoredMetrics> rows(written.size());
  for (const std::string& name : root.group("metrics").names()) {
    const hdf5::Dataset dataset = root.dataset("metrics/" + name);
    check_size(dataset, file_bytes);
    const auto values = dataset.read<double>();
    for (size_t i = 0; i < rows.size(); ++i) rows[i][name] = values.at(written[i]);
  }
  return rows;
}

/// Leaves those rows of a part out that are not as they were written; of a finished file, where a
/// row is missing then, says so.
void drop_unlike_their_checks(const hdf5::Group& root,
                              const std::vector<uint64_t>& written,
                              uint64_t file_bytes,
                              ResultFile& result) {
  const hdf5::Dataset dataset = root.dataset(kCheckPlace);
  check_size(dataset, file_bytes);
  const auto checks = dataset.read<uint64_t>();
  const std::vector<StoredMetrics> metrics = read_metrics(root, written, file_bytes);
  std::vector<ImageRow> good;
  for (size_t i = 0; i < written.size(); ++i) {
    ImageRow& row = result.rows[i];
    if (row_check(result.point, row, metrics[i], result.schema_version) == checks.at(written[i])) {
      good.push_back(std::move(row));
    }
  }
  result.rows = std::move(good);
}

void check_order(const ResultFile& result,
                 const std::vector<uint64_t>& written,
                 const std::filesystem::path& path) {
  for (size_t i = 0; i < written.size(); ++i) {
    const uint64_t image = result.rows[i].image_index;
    const bool good = result.schema_version < 3 ? image == written[i]
                                                : i == 0 || result.rows[i - 1].image_index < image;
    if (good) continue;
    throw Error(ErrorKind::kInput, fmt::format("{}: damaged: row {} is of image {}", path.string(),
                                               written[i], image));
  }
}

ResultFile read_unsealed(const std::filesystem::path& path, bool is_sealed) {
  const hdf5::File file = hdf5::File::open(path, hdf5::File::Access::kRead);
  const hdf5::Group& root = file.root();
  const int64_t version = schema_version(root);
  ResultFile result{.point = read_point(root, version),
                    .finished = attribute<int64_t>(root, "finished") != 0,
                    .schema_version = version};
  const auto damaged = [&](const std::string& how) {
    throw Error(ErrorKind::kInput, fmt::format("{}: damaged: {}", path.string(), how));
  };
  if (root.has_attribute(kFinishedTime)) {
    result.finished_unix_ns = attribute<int64_t>(root, kFinishedTime);
  }
  const PointInfo& point = result.point;
  if (point.images < 1 || point.replicas < 1 || point.images % point.replicas != 0) {
    damaged(fmt::format("{} images, {} of each prompt", point.images, point.replicas));
  }
  const int64_t rows = version < 3 ? point.images : attribute<int64_t>(root, "rows");
  const uint64_t file_bytes = std::filesystem::file_size(path);
  const std::vector<uint64_t> written = written_rows(root, rows, file_bytes);
  result.rows.resize(written.size());
  for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
    if (column.since > version) return;
    if (column.metric != nullptr && !root.contains(column.name)) return;  // older than the metric
    const hdf5::Dataset dataset = root.dataset(column.name);
    check_size(dataset, file_bytes);
    check_shape(dataset, column, rows);
    read_column(dataset, column, written, result.rows);
  });
  check_order(result, written, path);
  if (version >= 3) drop_unlike_their_checks(root, written, file_bytes, result);
  if (result.finished && !result.has_all()) {
    damaged(fmt::format("finished with {} images, but {} complete rows", point.images,
                        result.rows.size()));
  }
  if (version >= 3) {
    const auto head = attribute<std::string>(root, kHeadCheck);
    if (head != head_check(point, result.finished, result.finished_unix_ns)) {
      damaged("what it says about its point is not as it was written");
    }
    if (result.finished && !is_sealed) damaged("it does not begin with its digest");
  }
  return result;
}

}  // namespace

ResultFile read_result(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: a folder, expected a file", path.string()));
  }
  const Seal seal = seal_of(path);
  if (seal == Seal::kBroken) {
    // Not for the library: it trusts what it reads.
    throw Error(ErrorKind::kInput,
                fmt::format("{}: damaged: its bytes do not have the digest that it begins with",
                            path.string()));
  }
  return read_unsealed(path, seal == Seal::kGood);
}

}  // namespace kvscope
