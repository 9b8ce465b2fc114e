#include "analysis/shapes/caption.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "analysis/shapes/layout.h"
#include "core/base/error.h"

namespace kvscope::shapes {
namespace {

constexpr std::array<std::string_view, 3> kNumbers = {"two", "three", "four"};
constexpr std::array<std::string_view, 4> kPlurals = {"circles", "squares", "triangles", "crosses"};
constexpr std::array<std::string_view, 4> kRelationNames = {"left of", "right of", "above",
                                                            "below"};

std::string object_phrase(const SceneObject& object) {
  if (!object.colour_named) return fmt::format("a {}", shape_name(object.shape));
  return fmt::format("a {} {}", colour_name(object.colour), shape_name(object.shape));
}

std::string_view plural(Shape shape) {
  return kPlurals[static_cast<size_t>(shape)];
}

/// The entry of `known` that `word` is, by its name.
template <typename Entry, size_t kSize, typename Name>
std::optional<Entry> entry_named(const std::array<Entry, kSize>& known,
                                 std::string_view word,
                                 Name name) {
  for (const Entry entry : known) {
    if (name(entry) == word) return entry;
  }
  return std::nullopt;
}

/// A caption as words with a reading position.
class CaptionReader {
 public:
  explicit CaptionReader(std::string_view caption) : caption_(caption) {
    size_t start = 0;
    while (start < caption.size()) {
      const size_t end = std::min(caption.find(' ', start), caption.size());
      if (end > start) words_.emplace_back(caption.substr(start, end - start));
      start = end + 1;
    }
  }

  [[nodiscard]] bool at_end() const { return next_ == words_.size(); }
  [[nodiscard]] std::string_view peek() const {
    return at_end() ? std::string_view() : std::string_view(words_[next_]);
  }
  void skip() { ++next_; }
  bool take(std::string_view word) {
    if (peek() != word) return false;
    ++next_;
    return true;
  }
  void expect(std::string_view word) {
    if (!take(word)) fail({std::string(word)});
  }

  /// Throws: what stands here, where, and which words could.
  [[noreturn]] void fail(const std::vector<std::string>& expected) const {
    const std::string word(peek());
    const std::vector<std::string>& all = caption_words();
    const bool known = std::find(all.begin(), all.end(), word) != all.end();
    // A word of the grammar in the wrong place needs no second spelling; a typo is judged against
    // what fits here, a foreign word against the whole vocabulary.
    std::string hint = fmt::format("Expected {}.", fmt::join(expected, ", "));
    if (!at_end() && !known) {
      const bool near = !nearest_name(word, expected).empty();
      hint += " " + suggestion(word, near ? expected : all);
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("caption '{}', word {}: {}. {}", caption_, next_ + 1,
                            at_end() ? "the caption ends" : "cannot read '" + word + "'", hint));
  }

 private:
  std::string caption_;
  std::vector<std::string> words_;
  size_t next_ = 0;
};

template <typename Names>
std::vector<std::string> strings(const Names& names) {
  return {names.begin(), names.end()};
}

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Shape shape : kShapes) names.emplace_back(shape_name(shape));
  return names;
}

std::vector<std::string> colour_names() {
  std::vector<std::string> names;
  for (const Colour colour : kColours) names.emplace_back(colour_name(colour));
  return names;
}

SceneObject read_object(CaptionReader& reader, bool colour_required) {
  SceneObject object;
  reader.expect("a");
  if (const auto colour = entry_named(kColours, reader.peek(), colour_name)) {
    object.colour = *colour;
    object.colour_named = true;
    reader.skip();
  } else if (colour_required) {
    reader.fail(colour_names());
  }
  const auto shape = entry_named(kShapes, reader.peek(), shape_name);
  if (!shape) {
    std::vector<std::string> expected = shape_names();
    if (!object.colour_named) {
      const std::vector<std::string> colours = colour_names();
      expected.insert(expected.end(), colours.begin(), colours.end());
    }
    reader.fail(expected);
  }
  object.shape = *shape;
  reader.skip();
  return object;
}

void read_counted(CaptionReader& reader, size_t count, Scene& scene) {
  SceneObject object;
  const auto colour = entry_named(kColours, reader.peek(), colour_name);
  if (!colour) reader.fail(colour_names());
  reader.skip();
  const auto shape = entry_named(kShapes, reader.peek(), plural);
  if (!shape) reader.fail(strings(kPlurals));
  reader.skip();
  object.colour = *colour;
  object.colour_named = true;
  object.shape = *shape;
  scene.skill = Skill::kCounting;
  scene.objects.assign(count, object);
}

std::optional<Relation> read_relation(CaptionReader& reader) {
  if (reader.take("above")) return Relation::kAbove;
  if (reader.take("below")) return Relation::kBelow;
  std::optional<Relation> relation;
  if (reader.take("left")) relation = Relation::kLeftOf;
  if (!relation && reader.take("right")) relation = Relation::kRightOf;
  if (relation) reader.expect("of");
  return relation;
}

/// What follows a first object: nothing, "and" or a relation with a second one.
void read_rest(CaptionReader& reader, Scene& scene) {
  const bool named = scene.objects.front().colour_named;
  if (reader.at_end()) {
    scene.skill = named ? Skill::kColours : Skill::kSingleObject;
    return;
  }
  if (reader.take("and")) {
    scene.skill = named ? Skill::kColourAttribution : Skill::kTwoObjects;
  } else {
    if (!named) reader.fail({"and"});
    scene.relation = read_relation(reader);
    if (!scene.relation) reader.fail({"and", "left", "right", "above", "below"});
    scene.skill = Skill::kPosition;
  }
  scene.objects.push_back(read_object(reader, named));
  if (scene.objects.back().colour_named != named) {
    // Only a colour after an object without one gets here.
    throw Error(
        ErrorKind::kConfig,
        fmt::format("caption: '{}' names a colour but '{}' does not; name both or none",
                    object_phrase(scene.objects.back()), object_phrase(scene.objects.front())));
  }
}

std::vector<SceneObject> all_objects(bool colour_named) {
  std::vector<SceneObject> objects;
  for (const Shape shape : kShapes) {
    for (const Colour colour : kColours) {
      if (!colour_named && colour != kColours.front()) continue;
      SceneObject object;
      object.shape = shape;
      object.colour = colour;
      object.colour_named = colour_named;
      objects.push_back(object);
    }
  }
  return objects;
}

}  // namespace

std::string write_caption(const Scene& scene) {
  const SceneObject& first = scene.objects.front();
  if (scene.skill == Skill::kCounting) {
    return fmt::format("{} {} {}", kNumbers[scene.objects.size() - kFewestCounted],
                       colour_name(first.colour), plural(first.shape));
  }
  if (scene.objects.size() == 1) return object_phrase(first);
  const std::string_view joint =
      scene.relation ? kRelationNames[static_cast<size_t>(*scene.relation)] : "and";
  return fmt::format("{} {} {}", object_phrase(first), joint, object_phrase(scene.objects[1]));
}

Scene parse_caption(std::string_view caption) {
  CaptionReader reader(caption);
  Scene scene;
  const auto number = std::find(kNumbers.begin(), kNumbers.end(), reader.peek());
  if (number != kNumbers.end()) {
    reader.skip();
    read_counted(reader, kFewestCounted + static_cast<size_t>(number - kNumbers.begin()), scene);
  } else {
    if (reader.peek() != "a") reader.fail({"a", "two", "three", "four"});
    scene.objects.push_back(read_object(reader, false));
    read_rest(reader, scene);
  }
  if (!reader.at_end()) reader.fail({"the end of the caption"});
  place(scene);
  scene.caption = write_caption(scene);
  return scene;
}

const std::vector<std::string>& caption_words() {
  static const std::vector<std::string> kWords = [] {
    std::vector<std::string> words = {"a", "and", "left", "right", "of", "above", "below"};
    for (const auto& names :
         {strings(kNumbers), colour_names(), shape_names(), strings(kPlurals)}) {
      words.insert(words.end(), names.begin(), names.end());
    }
    return words;
  }();
  return kWords;
}

std::vector<std::string> all_captions(Skill skill) {
  std::vector<std::string> captions;
  Scene scene;
  scene.skill = skill;
  const bool named = skill != Skill::kSingleObject && skill != Skill::kTwoObjects;
  for (const SceneObject& first : all_objects(named)) {
    scene.objects = {first};
    if (skill == Skill::kSingleObject || skill == Skill::kColours) {
      captions.push_back(write_caption(scene));
    } else if (skill == Skill::kCounting) {
      for (size_t count = kFewestCounted; count <= kMostCounted; ++count) {
        scene.objects.assign(count, first);
        captions.push_back(write_caption(scene));
      }
    } else {
      for (const SceneObject& second : all_objects(named)) {
        if (second.shape == first.shape || (named && second.colour == first.colour)) continue;
        scene.objects = {first, second};
        for (const Relation relation : kRelations) {
          if (skill == Skill::kPosition) scene.relation = relation;
          captions.push_back(write_caption(scene));
          if (skill != Skill::kPosition) break;
        }
      }
    }
  }
  return captions;
}

}  // namespace kvscope::shapes
