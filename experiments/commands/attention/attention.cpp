#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/selectivity.h"
#include "core/base/between_commas.h"
#include "experiments/ablation/ablation.h"
#include "experiments/commands/attention/attention_ablate.h"
#include "experiments/commands/attention/attention_convert.h"
#include "experiments/commands/attention/attention_density.h"
#include "experiments/commands/attention/attention_explore.h"
#include "experiments/commands/attention/attention_heads.h"
#include "experiments/commands/attention/attention_list.h"
#include "experiments/commands/attention/attention_preferences.h"
#include "experiments/commands/attention/attention_record.h"
#include "experiments/commands/attention/attention_roles.h"
#include "experiments/commands/attention/attention_show.h"
#include "experiments/commands/attention/attention_stability.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/json_output.h"
#include "experiments/sweep/text_overrides.h"

namespace kvscope {
namespace {

/// "[a,b]" of "a,b", as an override says a list of texts.
std::string list_of_texts(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& name : between_commas(text)) names.push_back(quoted_text(name));
  return fmt::format("[{}]", fmt::join(names, ","));
}

void add_record(const CommandRegistrar& group) {
  const std::string& command_line = group.typed();
  const auto config = std::make_shared<ConfigArguments>();
  const auto out = std::make_shared<std::filesystem::path>("attention.h5");
  // Options of the command are overrides of the record group, and stronger than those typed.
  const auto chosen = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      &group.add("record", "statistics of one point's attention, as an HDF5 file", [=] {
        ConfigArguments all = *config;
        all.overrides.insert(all.overrides.end(), chosen->begin(), chosen->end());
        return attention_record_command(all, *out, command_line);
      });
  add_config_options(*command, *config);
  command->add_option("-o,--out", *out, "HDF5 file");
  const auto add = [&](const char* option, const char* key, const char* help, auto&& value_of) {
    command->add_option_function<std::string>(
        option,
        [=](const std::string& text) {
          chosen->push_back(fmt::format("record.{}={}", key, value_of(text)));
        },
        fmt::format("{} (record.{})", help, key));
  };
  add("--statistics", "statistics",
      "of `kvscope attention list`: a,b, patterns as 'sink.*', `all`, or `default`", list_of_texts);
  add("--layers", "layers", "whose attention is kept, as 0,7..9", quoted_text);
  add("--heads", "heads", "likewise", quoted_text);
  add("--steps", "steps", "likewise", quoted_text);
  const auto as_typed = [](const std::string& text) { return text; };
  add("--top-keys", "top_keys", "K' of the selectivity index", as_typed);
  add("--sampled-queries", "sampled_queries", "queries per step; 0: all", as_typed);
  add("--query-side", "query_side",
      "queries of a query map: at most so many times so many of a scale", as_typed);
  add("--key-side", "key_side",
      "keys of a query map: pooled to at most so many times so many of a scale", as_typed);
  command
      ->add_option_function<std::vector<std::string>>(
          "--raw",
          [=](const std::vector<std::string>& heads) {
            chosen->push_back("record.raw=" +
                              list_of_texts(fmt::format("{}", fmt::join(heads, ","))));
          },
          "LAYER:HEAD whose map is kept; repeatable (record.raw)")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // what follows is another argument
  add("--raw-at", "raw_at", "tokens of a step whose rows such a map keeps, as 0,7..9", quoted_text);
  command->add_flag_callback(
      "--query-maps", [=] { chosen->emplace_back("record.query_maps=true"); },
      "also where queries of the first image look, for `kvscope attention explore` "
      "(record.query_maps)");
}

void add_list_and_show(const CommandRegistrar& group) {
  const auto list = std::make_shared<AttentionListOptions>();
  CLI::App* command = &group.add("list", "every statistic: axes, unit, what recording it takes",
                                 [list] { return attention_list_command(*list); });
  command->add_flag("--json", list->json, "a JSON object per line instead of a table");

  const auto show = std::make_shared<AttentionShowOptions>();
  command = &group.add("show", "what a record holds, or one of its arrays",
                       [show] { return attention_show_command(*show); });
  command->add_option("file", show->file, "attention.h5")->required();
  add_json_flag(*command, show->json);
  command->add_option("name", show->name, "an array; without: what the file holds");
  command->add_option("--rows", show->rows, "what stands down the table, as layer");
  command->add_option("--columns", show->columns, "what stands across, as step");
  command->add_option("--at", show->at, "NAME=VALUE, only there instead of the mean; repeatable")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // what follows is another argument
  command->add_option("--of", show->of,
                      "mean over images; deviation or (95 %) interval between them; or an image's "
                      "number");
  command->add_option("-o,--out", show->out,
                      "heat map: FILE.svg, .png or .pdf; or the numbers as .csv");
}

void add_explore(const CommandRegistrar& group) {
  const auto explore = std::make_shared<AttentionExploreOptions>();
  CLI::App* command = &group.add("explore", "a page to look at a record, or to compare two",
                                 [explore] { return attention_explore_command(*explore); });
  command->add_option("files", explore->files, "attention.h5, and another to compare it with")
      ->required()
      ->expected(1, 2);
  command->add_option("-o,--out", explore->out, "HTML file; FILE.html");
  command
      ->add_option("--map-megabytes", explore->map_megabytes,
                   "of the page that query maps may take; evenly spaced layers where all take more")
      ->check(CLI::PositiveNumber);
}

void add_roles(const CommandRegistrar& group) {
  const auto roles = std::make_shared<AttentionRolesOptions>();
  CLI::App* command = &group.add("roles", "drafters and refiners of a record",
                                 [roles] { return attention_roles_command(*roles); });
  command->add_option("file", roles->file, "attention.h5")->required();
  add_json_flag(*command, roles->json);
  command
      ->add_option(
          "--drafters", roles->drafters,
          fmt::format(
              "(layer, scale) pairs that are drafters; default: {:g} % of those with a history",
              100 * kDefaultDrafterShare))
      ->check(CLI::NonNegativeNumber);
  command->add_option("--by", roles->by, "selectivity, or one of its factors: current or history");
  command->add_flag("--allow-none", roles->allow_none, "a scale may be left without a drafter");
  command->add_option(
      "--line", roles->line_tokens,
      "tokens per line of a next-token model, which counts as a scale; 0: a square");
}

void add_density(const CommandRegistrar& group) {
  const auto density = std::make_shared<AttentionDensityOptions>();
  CLI::App* command = &group.add("density", "how much small and large scales look at themselves",
                                 [density] { return attention_density_command(*density); });
  command->add_option("file", density->file, "attention.h5 of a next-scale model")->required();
  command->add_option("-o,--out", density->out, "FILE.svg, .png or .pdf")->required();
}

void add_stability(const CommandRegistrar& group) {
  const auto stability = std::make_shared<AttentionStabilityOptions>();
  CLI::App* command = &group.add("stability", "how roles depend on the number of images",
                                 [stability] { return attention_stability_command(*stability); });
  command
      ->add_option("files", stability->files,
                   "records of one model; one is compared with its own first images")
      ->required();
  add_json_flag(*command, stability->json);
  command->add_option("--drafters", stability->drafters, "as for roles")
      ->check(CLI::NonNegativeNumber);
}

void add_heads(const CommandRegistrar& group) {
  const auto heads = std::make_shared<AttentionHeadsOptions>();
  CLI::App* command = &group.add("heads", "types of heads of a record, for ssd and hack",
                                 [heads] { return attention_heads_command(*heads); });
  command->add_option("file", heads->file, "attention.h5")->required();
  add_json_flag(*command, heads->json);
  command->add_option("-o,--out", heads->out, "profile; FILE-heads.yaml");
  command->add_option("--metric", heads->metric, "sparsity (SSD) or variance (HACK)")
      ->type_name("auto|sparsity|variance");
  command->add_option("--recent", heads->neighbourhood.recent_tokens,
                      "neighbourhood: so many tokens before a query");
  command->add_option("--lines-above", heads->neighbourhood.lines_above,
                      "and so many lines above it");
  command->add_option("--beside", heads->neighbourhood.columns_beside,
                      "in them, columns left and right of its own");
  command->add_option("--threshold", heads->threshold, "sparsity from which a head is semantic");
  command->add_option("--share", heads->share, "heads of lowest variance that are contextual");
}

void add_preferences(const CommandRegistrar& group) {
  const auto preferences = std::make_shared<AttentionPreferencesOptions>();
  CLI::App* command = &group.add("preferences", "layer preferences of a record, for policy cake",
                                 [=] { return attention_preferences_command(*preferences); });
  command->add_option("file", preferences->file, "attention.h5")->required();
  add_json_flag(*command, preferences->json);
  command->add_option("-o,--out", preferences->out, "profile; FILE-preferences.yaml");
  command->add_option("--tau1", preferences->tau1, "temperature of the entropy");
  command->add_option("--tau2", preferences->tau2, "temperature of the variance");
}

void add_ablate(const CommandRegistrar& group) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto ablate = std::make_shared<AttentionAblateOptions>();
  CLI::App* command = &group.add(
      "ablate", "what images lose when layers, heads or scales are hidden",
      [=, typed = group.typed()] { return attention_ablate_command(*config, *ablate, typed); });
  add_config_options(*command, *config);
  command->add_option("--over", ablate->over, ablation_axis_help())->required();
  command->add_option("--metric", ablate->metric, "of images or pairs, of kvscope list metrics")
      ->type_name("METRIC");
  command->add_option(
      "--line", ablate->line_tokens,
      "tokens per line of a next-token model, which counts as a scale; 0: a square");
  command->add_option("--compare", ablate->compare,
                      "attention.h5: how its roles go with what hiding did");
  command->add_option("--recent", ablate->neighbourhood.recent_tokens,
                      "neighbourhood of SSD's sparsity: so many tokens before a query");
}

void add_convert(const CommandRegistrar& group) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto convert = std::make_shared<AttentionConvertOptions>();
  CLI::App* command = &group.add("convert-profile", "a profile from a file of an earlier version",
                                 [=] { return attention_convert_command(*config, *convert); });
  command->add_option("file", convert->file, "table of numbers, or roles")->required();
  command
      ->add_option("--model", convert->model, "the model it was measured on, as shapes_next_scale")
      ->required();
  command->add_option("-o,--out", convert->out, "profile")->required();
  command->add_option("--config-dir", config->config_folder, "as for run")->type_name("FOLDER");
}

}  // namespace

void register_attention(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("attention", "what attention does: record, list, show, roles, ablate, ...");
  add_record(group);
  add_list_and_show(group);
  add_explore(group);
  add_roles(group);
  add_density(group);
  add_stability(group);
  add_heads(group);
  add_preferences(group);
  add_ablate(group);
  add_convert(group);
}

}  // namespace kvscope
