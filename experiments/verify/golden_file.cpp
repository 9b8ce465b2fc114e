#include "experiments/verify/golden_file.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;

std::string shape_text(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

json parse(const GoldenFile& file, const std::string& key) {
  const std::string& text = file.text(key);
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    file.fail(fmt::format("metadata '{}' is '{:.80}'; expected JSON", key, text));
  }
  return value;
}

}  // namespace

GoldenFile::GoldenFile(const std::filesystem::path& path, c10::Device device)
    : path_(path), device_(device), reader_(path) {
  if (!has_key("weights_from")) return;
  const std::string& name = text("weights_from");
  if (name.empty() || std::filesystem::path(name).filename() != name || name.starts_with('.')) {
    fail(fmt::format("metadata 'weights_from' is '{:.80}'; expected the name of a file beside it",
                     name));
  }
  lender_.emplace(path.parent_path() / name);
}

const SafetensorsReader* GoldenFile::reader_of(std::string_view name) const {
  if (reader_.contains(name)) return &reader_;
  const bool weight = name.starts_with("model.") || name.starts_with("vae.");
  return weight && lender_ && lender_->contains(name) ? &*lender_ : nullptr;
}

void GoldenFile::fail(const std::string& message) const {
  throw Error(ErrorKind::kInput, path_.string() + ": " + message);
}

bool GoldenFile::has_key(const std::string& key) const {
  return reader_.metadata().contains(key);
}

const std::string& GoldenFile::text(const std::string& key) const {
  const auto entry = reader_.metadata().find(key);
  if (entry != reader_.metadata().end()) return entry->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : reader_.metadata()) known.push_back(name);
  fail(fmt::format("metadata '{}' is missing. {}", key, suggestion(key, known)));
}

int64_t GoldenFile::integer(const std::string& key, int64_t least, int64_t most) const {
  const json value = parse(*this, key);
  const bool fits = value.is_number_unsigned()
                        ? value.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : value.is_number_integer();
  if (!fits || value.get<int64_t>() < least) {
    fail(fmt::format("metadata '{}' is '{:.80}'; expected an integer in {}..{}", key, text(key),
                     least, most));
  }
  return value.get<int64_t>();
}

double GoldenFile::number(const std::string& key) const {
  const std::vector<double> values = numbers(key);
  if (values.size() != 1) {
    fail(fmt::format("metadata '{}' has {} values; expected one", key, values.size()));
  }
  return values.front();
}

std::vector<double> GoldenFile::numbers(const std::string& key) const {
  json value = parse(*this, key);
  if (!value.is_array()) value = json::array({value});
  std::vector<double> result;
  for (const json& item : value) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) {
      fail(fmt::format("metadata '{}' is '{:.80}'; expected a number or a list of numbers", key,
                       text(key)));
    }
    result.push_back(item.get<double>());
  }
  return result;
}

std::vector<int64_t> GoldenFile::integers(const std::string& key,
                                          int64_t least,
                                          int64_t most) const {
  std::vector<int64_t> result;
  for (const double value : numbers(key)) {
    if (value != std::floor(value) || value < static_cast<double>(least) ||
        value > static_cast<double>(most)) {
      fail(fmt::format("metadata '{}' is '{:.80}'; expected integers in {}..{}", key, text(key),
                       least, most));
    }
    result.push_back(static_cast<int64_t>(value));
  }
  return result;
}

std::vector<std::vector<int64_t>> GoldenFile::integer_rows(const std::string& key) const {
  const json value = parse(*this, key);
  const auto expect = [&](bool holds) {
    if (!holds) {
      fail(fmt::format("metadata '{}' is '{:.80}'; expected a list of lists of integers in 1..{}",
                       key, text(key), kLargestSize));
    }
  };
  expect(value.is_array());
  std::vector<std::vector<int64_t>> rows;
  for (const json& item : value) {
    expect(item.is_array());
    std::vector<int64_t> row;
    for (const json& entry : item) {
      expect(entry.is_number_integer() && entry.get<double>() >= 1 &&
             entry.get<double>() <= static_cast<double>(kLargestSize));
      row.push_back(entry.get<int64_t>());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

const std::vector<int64_t>& GoldenFile::shape(const std::string& name) const {
  if (!has(name)) {
    fail(fmt::format("tensor '{}' is missing. {}", name,
                     tensor_count() < 40 ? suggestion(name, reader_.names()) : ""));
  }
  return reader_of(name)->shape(name);
}

at::Tensor GoldenFile::tensor(const std::string& name, at::IntArrayRef shape) {
  if (this->shape(name) != shape.vec()) {
    fail(fmt::format("tensor '{}' has shape {}, expected {}", name, shape_text(this->shape(name)),
                     shape_text(shape)));
  }
  read_.insert(name);
  return reader_of(name)->tensor(name);
}

TensorMap GoldenFile::weights(const std::string& prefix) {
  TensorMap result;
  const SafetensorsReader* lender = lender_ ? &*lender_ : nullptr;
  for (const SafetensorsReader* reader :
       std::array<const SafetensorsReader*, 2>{lender, &reader_}) {
    if (reader == nullptr) continue;
    for (const std::string& name : reader->names()) {
      if (!name.starts_with(prefix) || reader_of(name) != reader) continue;
      read_.insert(name);
      const at::Tensor weight = reader->tensor(name);
      result.set(
          name, weight.to(device_, weight.is_floating_point() ? at::kFloat : weight.scalar_type()));
    }
  }
  if (result.empty()) fail(fmt::format("it holds no weights: no tensor begins with '{}'", prefix));
  return result;
}

std::vector<std::string> GoldenFile::unread() const {
  std::vector<std::string> names;
  for (const std::string& name : reader_.names()) {
    if (!read_.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace kvscope::verify
