#!/usr/bin/env bash
# docs/own_policy.md, step by step: a user's source becomes a library, its policy runs, and a wrong library is refused.
# usage: own_policy_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source_dir=$1
export KVSCOPE_BUILD=$2
kvscope=$2/experiments/kvscope
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check WHAT EXIT_STATUS TEXT COMMAND...
check() {
  local status=0
  "${@:4}" >"$work/said" 2>&1 </dev/null || status=$?
  if [ "$status" != "$2" ] || ! grep -qF -- "$3" "$work/said"; then
    echo "FAILED: $1: exit $status, expected $2 and '$3'; it said:" >&2
    cat "$work/said" >&2
    exit 1
  fi
}

cd "$work"
check "build" 0 "value_norm.so" "$source_dir/tools/build_policy" "$source_dir/docs/own_policy/value_norm.cpp"
plugin=(--plugin ./value_norm.so)
with_configs=("${plugin[@]}" --config-dir "$source_dir/docs/own_policy/configs")
check "the component is listed" 0 "value_norm.so" "$kvscope" list components "${plugin[@]}"
check "its knobs are explained" 0 "power = 2  (float, 1..16, default 2.0)" \
  "$kvscope" describe policy/loud_values "${with_configs[@]}"
check "it runs" 0 "loud_values" "$kvscope" run "${with_configs[@]}" policy=loud_values budget.ratio=0.2 \
  gen.images=2 gen.batch=2 hydra.run.dir="$work/out" threads=1
check "again: nothing to do" 0 "done already" "$kvscope" run "${with_configs[@]}" policy=loud_values \
  budget.ratio=0.2 gen.images=2 gen.batch=2 hydra.run.dir="$work/out" threads=1
check "a knob out of range" 2 "power" "$kvscope" plan "${with_configs[@]}" policy=loud_values policy.score.power=99
check "without the library" 2 "unknown component 'value_norm'" \
  "$kvscope" plan --config-dir "$source_dir/docs/own_policy/configs" policy=loud_values
check "no such library" 3 "no such file" "$kvscope" list components --plugin ./valu_norm.so
echo "no library" >"$work/text.so"
check "not a library" 3 "text.so" "$kvscope" list components --plugin ./text.so
echo 'int unrelated() { return 1; }' >"$work/other.cpp"
"$source_dir/tools/build_policy" "$work/other.cpp" >/dev/null
check "not a plug-in" 3 "KVSCOPE_PLUGIN" "$kvscope" list components --plugin ./other.so
check "a name twice" 2 "exists already" "$kvscope" list components --plugin ./value_norm.so --plugin ./value_norm.so
check "no source" 2 "no such file" "$source_dir/tools/build_policy" "$work/none.cpp"
