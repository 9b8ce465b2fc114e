#include "analysis/shapes/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "analysis/shapes/caption.h"

namespace kvscope::shapes {
namespace {

constexpr double kPositionThreshold = 0.1;  // GenEval's POSITION_THRESHOLD
constexpr double kDirectionThreshold = 0.5;

std::string thing(Shape shape, std::optional<Colour> colour) {
  if (!colour) return std::string(shape_name(shape));
  return fmt::format("{} {}", colour_name(*colour), shape_name(shape));
}

std::string asked_thing(const SceneObject& object) {
  return thing(object.shape, object.colour_named ? std::optional(object.colour) : std::nullopt);
}

std::string seen_things(const std::vector<DetectedObject>& objects) {
  std::vector<std::string> things;
  for (const DetectedObject& object : objects) {
    things.push_back(object.shape ? thing(*object.shape, object.colour)
                                  : fmt::format("{} blob", colour_name(object.colour)));
  }
  return things.empty() ? "nothing" : fmt::format("{}", fmt::join(things, ", "));
}

bool has_colour(const DetectedObject& seen, const SceneObject& asked) {
  return !asked.colour_named || seen.colour == asked.colour;
}

/// The clearest detected object that is `asked` and not taken yet; -1 if none.
int64_t find_object(const std::vector<DetectedObject>& objects,
                    const SceneObject& asked,
                    const std::vector<int64_t>& taken) {
  int64_t best = -1;
  for (int64_t i = 0; i < static_cast<int64_t>(objects.size()); ++i) {
    const DetectedObject& seen = objects[i];
    if (seen.shape != asked.shape || !has_colour(seen, asked)) continue;
    if (std::find(taken.begin(), taken.end(), i) != taken.end()) continue;
    if (best < 0 || seen.overlap > objects[best].overlap) best = i;
  }
  return best;
}

/// One axis of GenEval's relative_position: the distance of the centres beyond the threshold, with
/// its sign. Ends are box edges; sums of them are twice the centres.
double revised_offset(int64_t begin_a, int64_t end_a, int64_t begin_b, int64_t end_b) {
  const double offset = 0.5 * static_cast<double>(begin_a + end_a - begin_b - end_b);
  const double sides = static_cast<double>((end_a - begin_a) + (end_b - begin_b));
  return std::copysign(std::max(std::abs(offset) - kPositionThreshold * sides, 0.0), offset);
}

bool stands(const DetectedObject& a, Relation relation, const DetectedObject& b) {
  const double offset_x = 0.5 * static_cast<double>(a.left + a.right - b.left - b.right);
  const double offset_y = 0.5 * static_cast<double>(a.top + a.bottom - b.top - b.bottom);
  const double distance = std::hypot(offset_x, offset_y);
  if (distance == 0.0) return false;
  const double x = revised_offset(a.left, a.right, b.left, b.right) / distance;
  const double y = revised_offset(a.top, a.bottom, b.top, b.bottom) / distance;
  switch (relation) {
    case Relation::kLeftOf:
      return x < -kDirectionThreshold;
    case Relation::kRightOf:
      return x > kDirectionThreshold;
    case Relation::kAbove:
      return y < -kDirectionThreshold;
    case Relation::kBelow:
      return y > kDirectionThreshold;
  }
  return false;
}

std::string counting_fault(const std::vector<DetectedObject>& objects, const Scene& asked) {
  const SceneObject& object = asked.objects.front();
  size_t of_shape = 0;
  size_t of_colour = 0;
  for (const DetectedObject& seen : objects) {
    if (seen.shape != object.shape) continue;
    ++of_shape;
    of_colour += has_colour(seen, object) ? 1 : 0;
  }
  if (of_shape == asked.objects.size() && of_colour == of_shape) return {};
  return fmt::format("expected exactly {} of {}, saw {}", asked.objects.size(), asked_thing(object),
                     seen_things(objects));
}

std::string presence_fault(const std::vector<DetectedObject>& objects, const Scene& asked) {
  std::vector<int64_t> found;
  for (const SceneObject& object : asked.objects) {
    const int64_t index = find_object(objects, object, found);
    if (index < 0) {
      return fmt::format("expected {}, saw {}", asked_thing(object), seen_things(objects));
    }
    found.push_back(index);
  }
  if (!asked.relation || stands(objects[found[0]], *asked.relation, objects[found[1]])) return {};
  return fmt::format("expected '{}', saw both objects but not so placed", asked.caption);
}

}  // namespace

ShapeVerdict judge(const Image& image, const Scene& asked) {
  ShapeVerdict verdict;
  verdict.skill = asked.skill;
  verdict.objects = detect(image);
  verdict.reason = asked.skill == Skill::kCounting ? counting_fault(verdict.objects, asked)
                                                   : presence_fault(verdict.objects, asked);
  verdict.correct = verdict.reason.empty();
  return verdict;
}

ShapeVerdict judge(const Image& image, std::string_view caption) {
  return judge(image, parse_caption(caption));
}

}  // namespace kvscope::shapes
