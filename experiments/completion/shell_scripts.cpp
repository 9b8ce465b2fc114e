#include "experiments/completion/shell_scripts.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

// What `kvscope complete` answers: a candidate a line, a tab and its help behind it; a line
// ":files" or ":folders" where those may stand there, too.

// Bash ends words at '=' and ':' and replaces what stands behind them alone, so that much is taken
// off the candidates.
constexpr const char* kBash = R"(# bash completion of kvscope: source <(kvscope completion bash)
_kvscope() {
  local line="${COMP_LINE:0:COMP_POINT}" current="${COMP_WORDS[COMP_CWORD]}" candidate files=""
  case "$current" in '=' | ':') current="" ;; esac
  local typed="${line##*[[:space:]]}"
  local before="${typed%"$current"}"
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    case "$candidate" in
      :files) files=-f ;;
      :folders) files=-d ;;
      *)
        COMPREPLY+=("${candidate#"$before"}")
        case "$candidate" in *[=./]) compopt -o nospace ;; esac
        ;;
    esac
  done < <("${COMP_WORDS[0]}" complete --line "$line" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames
    while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen $files -- "$current")
  fi
}
complete -F _kvscope kvscope
)";

constexpr const char* kZsh = R"(#compdef kvscope
# zsh completion of kvscope: source <(kvscope completion zsh), or this file as _kvscope in $fpath
_kvscope() {
  local answer candidate files=""
  local -a open closed open_lines closed_lines fields
  while IFS= read -r answer; do
    fields=("${(@ps:\t:)answer}")
    candidate="$fields[1]"
    case "$candidate" in
      :files) files=-f ;;
      :folders) files=-/ ;;
      *[=./]) open+=("$candidate"); open_lines+=("$candidate${fields[2]:+  -- $fields[2]}") ;;
      *) closed+=("$candidate"); closed_lines+=("$candidate${fields[2]:+  -- $fields[2]}") ;;
    esac
  done < <("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
  (( $#open )) && compadd -l -S '' -d open_lines -- "${open[@]}"
  (( $#closed )) && compadd -l -d closed_lines -- "${closed[@]}"
  if [[ -n $files ]]; then
    compset -P '*='
    _path_files $files
  fi
}
if [[ "$funcstack[1]" = _kvscope ]]; then
  _kvscope "$@"
else
  compdef _kvscope kvscope
fi
)";

constexpr const char* kFish = R"(# fish completion of kvscope: kvscope completion fish | source
function __kvscope_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for answer in ($words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
        switch $answer
            case :files :folders
                set -l before (string match -r '^.*=' -- "$typed")
                set -l path (string replace -r '^.*=' '' -- "$typed")
                if test $answer = :files
                    for file in (__fish_complete_path "$path")
                        echo "$before$file"
                    end
                else
                    for folder in $path*/
                        echo "$before$folder"
                    end
                end
            case '*'
                echo $answer
        end
    end
end
complete -c kvscope -f -a '(__kvscope_complete)'
)";

constexpr std::pair<const char*, const char*> kScripts[] = {
    {"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};

}  // namespace

std::vector<std::string> completed_shells() {
  std::vector<std::string> shells;
  for (const auto& [shell, script] : kScripts) shells.emplace_back(shell);
  return shells;
}

std::string completion_script(const std::string& shell) {
  for (const auto& [known, script] : kScripts) {
    if (shell == known) return script;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("completion {}: {}", shell, suggestion(shell, completed_shells())));
}

}  // namespace kvscope
