#include "policies/profiles/profile.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {

std::string profile_kind_name(ProfileKind kind) {
  switch (kind) {
    case ProfileKind::kHeads:
      return "heads";
    case ProfileKind::kLayers:
      return "layers";
    case ProfileKind::kRoles:
      return "roles";
  }
  return "";
}

ProfileShape ProfileShape::of(const CacheGeometry& geometry) {
  return {
      .layers = geometry.layers,
      .heads = geometry.heads,
      .head_dim = geometry.head_dim,
      .steps = std::ssize(geometry.steps),
      .next_token = !geometry.steps.empty() && geometry.steps.front().kind == StepKind::kPrefill};
}

bool ProfileShape::fits(const CacheGeometry& geometry) const {
  const ProfileShape other = of(geometry);
  return layers >= other.layers && heads == other.heads &&
         (head_dim == 0 || head_dim == other.head_dim) && next_token == other.next_token;
}

std::string ProfileShape::text() const {
  return fmt::format("{} layers x {} heads{}, {}", layers, heads,
                     head_dim == 0 ? "" : fmt::format(" of {} channels", head_dim),
                     next_token ? "next_token" : "next_scale");
}

int64_t drafter_pairs(const Profile& roles) {
  int64_t pairs = 0;
  for (const RolesOfScale& scale : roles.scales) pairs += std::ssize(scale.drafters);
  return pairs;
}

void check_profile(const Profile& profile, const CacheGeometry& geometry) {
  const ProfileShape model = ProfileShape::of(geometry);
  const bool roles = profile.kind == ProfileKind::kRoles;
  const bool fits = profile.shape.fits(geometry) &&
                    (!roles || (profile.shape.layers == model.layers &&
                                (profile.shape.steps == 0 || profile.shape.steps == model.steps)));
  if (fits) return;
  const auto steps = [&](const ProfileShape& shape) {
    return roles ? fmt::format(", {} steps", shape.steps) : std::string();
  };
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: made for {} ({}{}); this model has {}{}. Measure it: kvscope "
                          "attention record, then kvscope attention {}",
                          profile.place, profile.model.empty() ? "another model" : profile.model,
                          profile.shape.text(), steps(profile.shape), model.text(), steps(model),
                          roles                                  ? "roles"
                          : profile.kind == ProfileKind::kLayers ? "preferences"
                                                                 : "heads"));
}

}  // namespace kvscope
