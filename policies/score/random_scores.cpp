#include "policies/score/random_scores.h"

namespace kvscope {
namespace {

uint64_t mixed(uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

}  // namespace

float random_score(const RandomPlace& place) {
  uint64_t hash = mixed(mixed(place.seed) + place.row);
  for (const int64_t field : {place.layer, place.head, place.position, place.draw}) {
    hash = mixed(hash + static_cast<uint64_t>(field));
  }
  return static_cast<float>(hash >> 40) * 0x1p-24F;
}

}  // namespace kvscope
