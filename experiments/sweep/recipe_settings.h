#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/models/image_model.h"

namespace kvscope {

/// The `recipe` group: which published number the settings of a configuration belong to, and what
/// is known of how it was made. It changes no image; what can be set is set in other groups by the
/// same file.
struct RecipeSettings {
  std::string name{};                   ///< empty: none was chosen
  std::string numbers{};                ///< "GenEval .69, Infinity-2B"
  std::string source{};                 ///< repository, commit, script
  std::vector<std::string> families{};  ///< of models that it is of
  std::vector<std::string> models{};    ///< options of group `model`
  std::string prompts{};                ///< which, in words
  std::optional<int64_t> prompt_count{};
  bool rewritten = false;  ///< the model is given other texts than the judge
  std::optional<int64_t> seed{};
  std::string seeds{};    ///< how they were drawn, in words
  std::string size{};     ///< of a picture, "1024x1024"
  std::string picture{};  ///< codec of what was judged
  std::string judge{};
  std::string known{};                    ///< what others found who repeated it
  std::vector<std::string> departures{};  ///< recipe_departures(), written by kvscope
};
RecipeSettings read_recipe(Options& options);

/// The group of a config; without a name where it has none.
RecipeSettings recipe_settings(const ConfigNode& config);

/// In what a resolved config departs from its recipe: "cfg 3 instead of 4". `recipe_file` is what
/// the recipe's file says, where it is known: what that sets outside of `recipe` is compared.
/// `prompts` is the number of prompts.
std::vector<std::string> recipe_departures(const ConfigNode& config,
                                           const ConfigNode* recipe_file,
                                           const ModelFacts& facts,
                                           int64_t prompts);

/// "infinity_geneval with cfg 3 instead of 4, 12 prompts instead of 553"; the name alone where
/// nothing departs.
std::string recipe_title(const RecipeSettings& recipe);

}  // namespace kvscope
