#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope::shapes {

/// What a caption asks for; the six skills of GenEval (Ghosh et al. 2023) in a small world.
enum class Skill {
  kSingleObject,       ///< "a circle": any colour is right
  kTwoObjects,         ///< "a circle and a square": any colours are right
  kCounting,           ///< "three green triangles": exactly so many
  kColours,            ///< "a red circle"
  kPosition,           ///< "a red circle left of a blue square"
  kColourAttribution,  ///< "a red circle and a blue square": each colour on its own shape
};
enum class Shape { kCircle, kSquare, kTriangle, kCross };
enum class Colour { kRed, kGreen, kBlue, kYellow, kMagenta, kCyan };
/// How the first object of a caption lies to the second.
enum class Relation { kLeftOf, kRightOf, kAbove, kBelow };

inline constexpr std::array kSkills = {Skill::kSingleObject, Skill::kTwoObjects,
                                       Skill::kCounting,     Skill::kColours,
                                       Skill::kPosition,     Skill::kColourAttribution};
inline constexpr std::array kShapes = {Shape::kCircle, Shape::kSquare, Shape::kTriangle,
                                       Shape::kCross};
inline constexpr std::array kColours = {Colour::kRed,    Colour::kGreen,   Colour::kBlue,
                                        Colour::kYellow, Colour::kMagenta, Colour::kCyan};
inline constexpr std::array kRelations = {Relation::kLeftOf, Relation::kRightOf, Relation::kAbove,
                                          Relation::kBelow};
inline constexpr int64_t kFewestCounted = 2;
inline constexpr int64_t kMostCounted = 4;

/// Images are kImageSize x kImageSize pixels.
inline constexpr int64_t kImageSize = 64;

struct Rgb {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
  bool operator==(const Rgb&) const = default;
};
/// The one colour behind every scene: dark, nearly neutral.
inline constexpr Rgb kBackground{20, 22, 30};

/// The paint of a colour; the six hues are about 60 degrees apart, so blending with the
/// background or a slightly wrong decoder does not turn one into another.
Rgb paint(Colour colour);
std::string_view skill_name(Skill skill);     ///< "single_object", "two_objects", ...
std::string_view shape_name(Shape shape);     ///< "circle"
std::string_view colour_name(Colour colour);  ///< "red"

/// One thing to draw. Whole pixels; a centre (x, y) is the corner between pixels x - 1 and x.
struct SceneObject {
  Shape shape = Shape::kCircle;
  Colour colour = Colour::kRed;
  bool colour_named = false;  ///< whether the caption says the colour, so whether it is judged
  int64_t centre_x = 0;
  int64_t centre_y = 0;
  int64_t size = 0;  ///< side of the bounding box
  bool operator==(const SceneObject&) const = default;
};

/// A caption and one image of it. Objects in caption order; counting repeats the same object.
struct Scene {
  Skill skill = Skill::kSingleObject;
  std::vector<SceneObject> objects;
  std::optional<Relation> relation;  ///< set for position
  std::string caption;
  bool operator==(const Scene&) const = default;
};

/// A caption of `skill` drawn uniformly, laid out with jitter; a colour the caption leaves open is
/// drawn uniformly. Same seed, same scene on every machine. May be a held-out caption: for training
/// take training_scene (split.h).
Scene random_scene(Skill skill, uint64_t seed);

/// How often each skill is drawn, in the order of kSkills: not negative, not all 0.
using SkillShares = std::array<int64_t, kSkills.size()>;
/// More where there are more captions to learn.
inline constexpr SkillShares kSkillShares = {1, 2, 2, 1, 3, 3};

/// As above with the skill drawn too.
Scene random_scene(uint64_t seed, const SkillShares& shares = kSkillShares);

}  // namespace kvscope::shapes
