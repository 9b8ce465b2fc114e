#include "experiments/results/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <type_traits>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "experiments/results/result_check.h"
#include "experiments/results/result_columns.h"
#include "experiments/results/result_schema.h"

namespace kvscope {
namespace {

constexpr int64_t kChunkRows = 64;

template <class T>
void fill_column(hdf5::Dataset& dataset, const ResultColumn<T>& column, int64_t rows) {
  for (int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const auto count = static_cast<size_t>(std::min(kChunkRows, rows - begin));
    if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
      dataset.append_unflushed(std::vector<T>(count));
    } else {
      dataset.append_unflushed(
          std::vector<typename T::value_type>(count * static_cast<size_t>(column.width)));
    }
  }
}

int64_t unix_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// All of a point that is known before its first row, and capacity for every row: what comes later
/// overwrites in place. A file that grows can be lost: a kill between the writes of one flush
/// leaves an index that points beyond the end that the file's head states.
void write_head(hdf5::File& file,
                const PointInfo& point,
                const std::vector<uint64_t>& image_indices,
                int64_t finished_unix_ns) {
  const bool finished = finished_unix_ns != 0;
  hdf5::Group& root = file.root();
  root.set_attribute("schema", std::string(kResultSchema));
  root.set_attribute("schema_version", kResultSchemaVersion);
  root.set_attribute("point", point.point_hash);
  root.set_attribute("setting", point.setting_hash);
  root.set_attribute("finished", int64_t{finished});
  if (finished) root.set_attribute(kFinishedTime, finished_unix_ns);
  root.set_attribute("full_cache", int64_t{point.full_cache});
  root.set_attribute("kept_tokens", point.kept_tokens);
  root.set_attribute("full_tokens", point.full_tokens);
  root.set_attribute("budget_tokens", point.budget_tokens);
  root.set_attribute("cut_tokens", point.target_tokens);
  root.set_attribute("images", point.images);
  root.set_attribute("replicas", point.replicas);
  root.set_attribute("rows", std::ssize(image_indices));
  root.set_attribute("steps", point.steps);
  root.set_attribute("token_bytes", point.token_bytes);
  root.set_attribute("prompt_bytes", point.prompt_bytes);
  root.set_attribute(kHeadCheck, head_check(point, finished, finished_unix_ns));
  auto labels = nlohmann::json::array();
  for (const auto& [name, text] : point.labels) labels.push_back({name, text});
  root.write_text(kConfigPlace, point.config_yaml);
  root.write_text(kOverridesPlace, fmt::format("{}", fmt::join(point.overrides, "\n")));
  root.write_text(kManifestPlace, point.manifest_json);
  root.write_text(kLabelsPlace,
                  labels.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!point.metric_origins.empty()) {
    root.write_text(kMetricOriginsPlace, origins_json(point.metric_origins));
  }
  for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
    hdf5::DatasetLayout layout{.chunk_rows = kChunkRows};
    if constexpr (std::is_same_v<T, std::string>) {
      layout.element = hdf5::Element::kText;
      layout.text_bytes = column.width;
    } else if constexpr (std::is_arithmetic_v<T>) {
      layout.element = hdf5::element_of<T>();
    } else {
      layout.element = hdf5::element_of<typename T::value_type>();
      layout.row_shape = {column.width};
    }
    hdf5::Dataset dataset = root.create_dataset(column.name, layout);
    if (!column.units.empty()) dataset.set_attribute("units", column.units);
    fill_column(dataset, column, std::ssize(image_indices));
  });
  root.dataset("axes/image_id").overwrite_unflushed(0, image_indices);
  root.create_dataset(kCheckPlace, {.element = hdf5::Element::kU64, .chunk_rows = kChunkRows})
      .append_unflushed(std::vector<uint64_t>(image_indices.size()));
  root.create_dataset(kWrittenPlace, {.element = hdf5::Element::kU8, .chunk_rows = kChunkRows})
      .append_unflushed(std::vector<uint8_t>(image_indices.size()));
}

/// Where the row of an image lies.
uint64_t row_of(const std::vector<uint64_t>& image_indices, uint64_t image_index) {
  return static_cast<uint64_t>(std::ranges::lower_bound(image_indices, image_index) -
                               image_indices.begin());
}

template <class T>
void write_value(hdf5::Dataset& dataset, uint64_t row, const T& value) {
  const auto first = static_cast<int64_t>(row);
  if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
    dataset.overwrite_unflushed(first, std::span<const T>(&value, 1));
  } else {
    dataset.overwrite_unflushed(first, value);
  }
}

/// A file with these rows that appears whole or not at all; a time of 0 is that of a part.
void write_whole(const std::filesystem::path& path,
                 const PointInfo& point,
                 const std::vector<uint64_t>& image_indices,
                 int64_t finished_unix_ns,
                 const std::vector<ImageRow>& rows) {
  AtomicFile place(path);
  {
    hdf5::File file = hdf5::File::create(place.part_path(), finished_unix_ns == 0 ? 0 : kSealBytes);
    write_head(file, point, image_indices, finished_unix_ns);
    for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
      hdf5::Dataset dataset = file.root().dataset(column.name);
      for (const ImageRow& row : rows) {
        write_value(dataset, row_of(image_indices, row.image_index), column.get(row));
      }
    });
    hdf5::Dataset check = file.root().dataset(kCheckPlace);
    hdf5::Dataset written = file.root().dataset(kWrittenPlace);
    for (const ImageRow& row : rows) {
      const uint64_t at = row_of(image_indices, row.image_index);
      write_value(check, at, row_check(point, row, stored_metrics(row), kResultSchemaVersion));
      write_value(written, at, uint8_t{1});
    }
    file.flush();
  }
  if (finished_unix_ns != 0) seal_file(place.part_path());
  place.commit();
}

std::filesystem::path part_of(std::filesystem::path path) {
  return path += ".part";
}

void check_point(const PointInfo& point, const std::filesystem::path& path) {
  const auto broken_line = std::ranges::any_of(point.overrides, [](const std::string& text) {
    return text.find('\n') != std::string::npos;
  });
  if (point.images < 1 || point.replicas < 1 || point.images % point.replicas != 0 ||
      point.steps < 1 || point.token_bytes < 0 || point.prompt_bytes < 1 || broken_line) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: {} images of {} steps, {} token bytes, {} prompt bytes: expected "
                            "positive numbers, and overrides of one line each",
                            path.string(), point.images, point.steps, point.token_bytes,
                            point.prompt_bytes));
  }
}

}  // namespace

std::string PointInfo::label(const std::string& name) const {
  const auto found = std::ranges::find(labels, name, &std::pair<std::string, std::string>::first);
  return found == labels.end() ? std::string() : found->second;
}

bool PointInfo::asks_for(uint64_t image_index) const {
  const uint64_t prompt = image_index & 0xffffffffU;
  const uint64_t replica = image_index >> 32;
  return prompt < static_cast<uint64_t>(images / replicas) &&
         replica < static_cast<uint64_t>(replicas);
}

std::vector<uint64_t> PointInfo::asked_images() const {
  std::vector<uint64_t> numbers;
  for (int64_t replica = 0; replica < replicas; ++replica) {
    for (int64_t prompt = 0; prompt < images / replicas; ++prompt) {
      numbers.push_back(
          image_number(static_cast<uint64_t>(prompt), static_cast<uint64_t>(replica)));
    }
  }
  return numbers;
}

bool ResultFile::has_all() const {
  const auto asked = std::ranges::count_if(
      rows, [&](const ImageRow& row) { return point.asks_for(row.image_index); });
  return asked == point.images;
}

struct ResultWriter::Columns {
  hdf5::File file;
  std::vector<hdf5::Dataset> datasets;  // in for_each_column's order
  hdf5::Dataset check;
  hdf5::Dataset written;
};

namespace {

/// Whoever just looks at the file has it locked for that moment.
hdf5::File open_for_append(const std::filesystem::path& part) {
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    try {
      return hdf5::File::open(part, hdf5::File::Access::kAppend);
    } catch (const Error&) {
      if (attempt == kAttempts) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

std::vector<ImageRow> rows_there(const std::filesystem::path& path, const PointInfo& point) {
  std::map<uint64_t, ImageRow> rows;
  for (const std::filesystem::path& file : {path, part_of(path)}) {
    if (!std::filesystem::exists(file)) continue;
    ResultFile earlier = read_result(file);
    if (earlier.point.point_hash != point.point_hash) {
      throw Error(ErrorKind::kInput, fmt::format("{}: holds point {}, expected {}", file.string(),
                                                 earlier.point.point_hash, point.point_hash));
    }
    for (ImageRow& row : earlier.rows) rows.try_emplace(row.image_index, std::move(row));
  }
  std::vector<ImageRow> list;
  for (auto& [image, row] : rows) list.push_back(std::move(row));
  return list;
}

}  // namespace

ResultWriter::ResultWriter(const std::filesystem::path& path, const PointInfo& point)
    : ResultWriter(path, point, rows_there(path, point)) {}

ResultWriter::ResultWriter(std::filesystem::path path,
                           const PointInfo& point,
                           std::vector<ImageRow> rows)
    : path_(std::move(path)), point_(point) {
  check_point(point_, path_);
  image_indices_ = point_.asked_images();
  for (const ImageRow& row : rows) {
    if (!point_.asks_for(row.image_index)) image_indices_.push_back(row.image_index);
    point_.prompt_bytes = std::max(point_.prompt_bytes, std::ssize(row.prompt));
  }
  std::ranges::sort(image_indices_);
  for (const ImageRow& row : rows) check_row(row);
  const std::filesystem::path part = part_of(path_);
  write_whole(part, point_, image_indices_, 0, rows);
  for (const ImageRow& row : rows) present_.insert(row.image_index);

  hdf5::File file = open_for_append(part);
  hdf5::Dataset check = file.root().dataset(kCheckPlace);
  hdf5::Dataset written = file.root().dataset(kWrittenPlace);
  columns_ =
      std::make_unique<Columns>(Columns{std::move(file), {}, std::move(check), std::move(written)});
  for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
    columns_->datasets.push_back(columns_->file.root().dataset(column.name));
  });
}

ResultWriter::~ResultWriter() = default;
ResultWriter::ResultWriter(ResultWriter&&) noexcept = default;
ResultWriter& ResultWriter::operator=(ResultWriter&&) noexcept = default;

void ResultWriter::check_row(const ImageRow& row) const {
  const auto require = [&](bool good, std::string_view what) {
    if (good) return;
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: row of image {}: {}", path_.string(), row.image_index, what));
  };
  require(std::ranges::binary_search(image_indices_, row.image_index), "beyond the point's images");
  require(!present_.contains(row.image_index), "is there already");
  for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
    const T value = column.get(row);
    if constexpr (std::is_same_v<T, std::string>) {
      require(value.size() <= static_cast<size_t>(column.width),
              fmt::format("{} has {} bytes, at most {}", column.name, value.size(), column.width));
    } else if constexpr (!std::is_arithmetic_v<T>) {
      require(
          value.size() == static_cast<size_t>(column.width),
          fmt::format("{} has {} values, expected {}", column.name, value.size(), column.width));
    }
  });
}

void ResultWriter::append(const ImageRow& row) {
  if (columns_ == nullptr) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: is closed, by finish() or after an error", path_.string()));
  }
  check_row(row);
  try {
    const uint64_t at = row_of(image_indices_, row.image_index);
    size_t index = 0;
    for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
      write_value(columns_->datasets[index++], at, column.get(row));
    });
    write_value(columns_->check, at,
                row_check(point_, row, stored_metrics(row), kResultSchemaVersion));
    columns_->file.flush();
    write_value(columns_->written, at, uint8_t{1});
    columns_->file.flush();
  } catch (...) {
    columns_.reset();  // what the library still holds may not reach the disk: start from the file
    throw;
  }
  present_.insert(row.image_index);
}

void ResultWriter::finish() {
  const auto asked =
      std::ranges::count_if(present_, [&](uint64_t image) { return point_.asks_for(image); });
  if (asked != point_.images) {
    throw Error(ErrorKind::kAudit, fmt::format("{}: {} of {} images are there, cannot finish",
                                               path_.string(), asked, point_.images));
  }
  columns_.reset();
  const std::filesystem::path part = part_of(path_);
  // Written anew so that the mark of completion, an attribute, appears with all rows or not at all.
  write_whole(path_, point_, image_indices_, unix_nanoseconds(), read_result(part).rows);
  std::error_code ignored;  // a part beside a finished file has nothing that is not in that
  std::filesystem::remove(part, ignored);
}

void write_result(const std::filesystem::path& path, const ResultFile& result) {
  PointInfo point = result.point;
  std::vector<uint64_t> image_indices;
  for (const ImageRow& row : result.rows) {
    image_indices.push_back(row.image_index);
    point.prompt_bytes = std::max(point.prompt_bytes, std::ssize(row.prompt));
  }
  const int64_t time = result.finished_unix_ns;
  write_whole(path, point, image_indices, time == 0 ? unix_nanoseconds() : time, result.rows);
}

bool point_finished(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "result.h5", error);
}

std::filesystem::path image_path(const std::filesystem::path& folder, uint64_t image_index) {
  const uint64_t replica = image_index >> 32;
  std::string name = fmt::format("{:06}", image_index & 0xffffffffU);
  if (replica > 0) name += fmt::format("-{}", replica);
  return folder / "images" / (name + ".png");
}

std::optional<Image> stored_image(const std::filesystem::path& file,
                                  std::vector<std::string>* notes) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return std::nullopt;
  try {
    return read_png(file).image;
  } catch (const Error& error) {
    if (notes != nullptr) {
      const std::string note = fmt::format("not in it, because damaged: {}", error.what());
      if (std::ranges::find(*notes, note) == notes->end()) notes->push_back(note);
    }
    return std::nullopt;
  }
}

void write_result_image(const std::filesystem::path& folder,
                        const PointInfo& point,
                        const ImageRow& row,
                        const Image& image) {
  PngText texts = {{"point", point.point_hash},
                   {"prompt", row.prompt},
                   {"prompt_id", fmt::format("{}", row.prompt_id)},
                   {"seed", fmt::format("{}", row.seed)}};
  if (row.prompt_cut_tokens > 0) {
    texts["prompt_cut_tokens"] = fmt::format("{}", row.prompt_cut_tokens);
  }
  write_png(image_path(folder, row.image_index), image, texts);
}

}  // namespace kvscope
