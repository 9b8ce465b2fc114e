#include "policies/shares/head_capacity.h"

#include <cmath>

namespace kvscope {
namespace {

/// Nearest integer, halves to even.
int64_t rounded(double value) {
  return static_cast<int64_t>(std::nearbyint(value));
}

}  // namespace

double floor_division(double numerator, double denominator) {
  double remainder = std::fmod(numerator, denominator);  // exact, with the sign of the numerator
  if (remainder < 0) remainder += denominator;
  return std::nearbyint((numerator - remainder) / denominator);
}

std::vector<std::vector<int64_t>> head_capacities(
    const std::vector<std::vector<double>>& importance, double mean, double beta) {
  double sum = 0;
  int64_t heads = 0;
  for (const auto& layer : importance) {
    for (const double value : layer) {
      sum += value;
      ++heads;
    }
  }
  const double shared = floor_division(mean, beta);
  const double pool = shared * static_cast<double>(heads);
  const double least = mean - shared;
  std::vector<std::vector<int64_t>> capacity;
  for (const auto& layer : importance) {
    capacity.emplace_back();
    for (const double value : layer) {
      capacity.back().push_back(rounded(value / sum * pool + least));
    }
  }
  return capacity;
}

}  // namespace kvscope
