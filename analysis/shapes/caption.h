#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/shapes/scene.h"

namespace kvscope::shapes {

// The grammar, one space between words:
//   caption  = object                              single_object, colours
//            | object "and" object                 two_objects, colour_attribution
//            | object relation object              position
//            | number colour plural                counting
//   object   = "a" [colour] shape                  both objects of a caption name a colour or none
//   relation = "left of" | "right of" | "above" | "below"   between objects with colours
//   number   = "two" | "three" | "four"
//   colour   = "red" | "green" | "blue" | "yellow" | "magenta" | "cyan"
//   shape    = "circle" | "square" | "triangle" | "cross"
//   plural   = "circles" | "squares" | "triangles" | "crosses"

/// The caption of a scene's skill, objects and relation.
std::string write_caption(const Scene& scene);

/// What a caption asks for, on the canonical layout without jitter (colours it leaves open are
/// red and not judged). Error(kConfig) naming the word, its place and the nearest known word.
Scene parse_caption(std::string_view caption);

/// Every word of the grammar, in a fixed order: the vocabulary of a captions tokenizer.
const std::vector<std::string>& caption_words();

/// Every caption random_scene(skill, ...) can give, in a fixed order: 4 of single_object, 12 of
/// two_objects, 72 of counting, 24 of colours, 1440 of position, 360 of colour_attribution.
std::vector<std::string> all_captions(Skill skill);

}  // namespace kvscope::shapes
