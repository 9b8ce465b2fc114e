#include "experiments/commands/manual_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace kvscope {
namespace {

using Entries = std::vector<std::pair<const char*, const char*>>;

const Entries kOverrides = {
    {"policy=snapkv", "chooses an option of a group; kvscope list groups has them"},
    {"gen.cfg=4", "changes a key; kvscope list keys has them"},
    {"+experiment=quickstart", "adds an option of a group that nothing has chosen yet"},
    {"~prompts", "deletes"},
    {"policy=full,h2o",
     "with --multirun: a sweep over both. So do choice(...), range(START,STOP,STEP) "
     "and glob(PATTERN)"}};

const Entries kExitCodes = {{"0", "done"},
                            {"1", "some points failed"},
                            {"2", "a configuration error: nothing ran, nothing was written"},
                            {"3", "a file or the machine is at fault"},
                            {"130", "interrupted; the same command goes on"}};

const Entries kEnvironment = {
    {"KVSCOPE_CONFIGS", "the folder of configurations, instead of the one beside the program"},
    {"NO_COLOR", "set and not empty: no colours on terminals"},
    {"COLUMNS", "width of tables where no terminal says it"}};

const Entries kFiles = {
    {"outputs/NAME", "results of single points, unless hydra.run.dir says otherwise"},
    {"multirun/NAME",
     "results of sweeps, unless hydra.sweep.dir says otherwise: report.html, tables, and a "
     "folder a point with result.h5, images and manifest.json"},
    {"configs/config.yaml", "the primary configuration, in the folder that is found"}};

/// Text that troff prints as it is: backslashes, hyphens and letters beyond ASCII escaped.
std::string escaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else if (text[i] == '\n') {
      out += ' ';
    } else if (byte >= 0xc0) {  // the first of several bytes of UTF-8
      const size_t more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      uint32_t code = byte & (0x3fU >> more);
      for (size_t k = 0; k < more && i + 1 < text.size(); ++k) {
        code = (code << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3fU);
      }
      out += fmt::format("\\[u{:04X}]", code);
    } else {
      out += text[i];
    }
  }
  const bool is_request = out.starts_with('.') || out.starts_with('\'');
  return is_request ? "\\&" + out : out;
}

/// A term with what it means, indented below it.
std::string term(const std::string& name, const std::string& meaning) {
  return fmt::format(".TP\n{}\n{}\n", name, escaped(meaning));
}

std::string bold(const std::string& text) {
  return "\\fB" + escaped(text) + "\\fR";
}

std::string italic(const std::string& text) {
  return "\\fI" + escaped(text) + "\\fR";
}

std::string entries_text(const char* title, const Entries& entries) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const auto& [name, meaning] : entries) text += term(bold(name), meaning);
  return text;
}

/// "-c, --cfg job|hydra|all"; "folder" of a positional one.
std::string option_name(const CLI::Option& option) {
  if (option.get_positional()) return italic(option.get_name());
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back(bold("-" + name));
  for (const std::string& name : option.get_lnames()) names.push_back(bold("--" + name));
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (option.get_items_expected_max() > 0) text += " " + italic(option.get_type_name());
  return text;
}

std::string synopsis(const std::string& name, const CLI::App& command) {
  std::string text = bold(name);
  const auto options = command.get_options();
  if (std::ranges::any_of(options, [](const auto* option) { return !option->get_positional(); })) {
    text += " [" + italic("options") + "]";
  }
  for (const CLI::Option* option : options) {
    if (!option->get_positional()) continue;
    const bool is_many = option->get_items_expected_max() > 1;
    const std::string word = italic(option->get_name()) + (is_many ? " ..." : "");
    text += option->get_required() ? " " + word : " [" + word + "]";
  }
  return text;
}

void append_command(const CLI::App& command, const std::string& before, std::string& text) {
  const std::string name = before + " " + command.get_name();
  const auto below = command.get_subcommands([](const CLI::App*) { return true; });
  if (below.empty()) {
    text +=
        fmt::format(".SS {}\n{}\n", synopsis(name, command), escaped(command.get_description()));
    for (const CLI::Option* option : command.get_options()) {
      if (!option->check_lname("help"))
        text += term(option_name(*option), option->get_description());
    }
  }
  for (const CLI::App* one : below) append_command(*one, name, text);
}

}  // namespace

std::string manual_page(const CLI::App& program, const std::string& version) {
  std::string text = fmt::format(
      ".\\\" Printed by kvscope man from the declarations of its commands.\n"
      ".TH KVSCOPE 1 \"\" \"kvscope {}\" \"User Commands\"\n.SH NAME\nkvscope \\- {}\n",
      escaped(version),
      escaped("measures how little of its past a visual autoregressive model needs"));
  text +=
      ".SH SYNOPSIS\n\\fBkvscope\\fR \\fIcommand\\fR [\\fIoptions\\fR] [\\fIoverride\\fR ...]\n";
  text += fmt::format(
      ".SH DESCRIPTION\n{}\n",
      escaped(
          "A laboratory for policies of the key-value cache in visual autoregressive models: it "
          "generates images under budgets, measures memory, time and quality, records attention, "
          "and makes tables and figures of it. Configurations are composed as Hydra composes "
          "them; results go on where they were interrupted."));
  text += ".SH COMMANDS\n";
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) append_command(*command, "kvscope", text);
  }
  text += entries_text("OVERRIDES", kOverrides);
  text += entries_text("EXIT STATUS", kExitCodes);
  text += entries_text("ENVIRONMENT", kEnvironment);
  text += entries_text("FILES", kFiles);
  return text;
}

}  // namespace kvscope
