#!/usr/bin/env bash
# The set-up's messages: each failing step is named with its remedy, and nothing is done on --help.
# usage: setup_test.sh SOURCE_DIR
set -euo pipefail
source_dir=$1
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

for script in quickstart run_tests tools/setup tools/bundle tools/build_policy; do
  check "$script --help" 0 "usage: " "$source_dir/$script" --help
done
for script in quickstart tools/setup tools/bundle; do
  check "$script with a typo" 2 "--hlep" "$source_dir/$script" --hlep
done

# A copy with nothing but the set-up's own files, and a PATH without apt: packages are listed and the
# set-up goes on to LibTorch.
mkdir -p "$work/copy/cmake" "$work/bin"
cp -r "$source_dir/tools" "$work/copy/"
cp "$source_dir/cmake/libtorch.lock" "$work/copy/cmake/"
for tool in bash env dirname sed sort awk grep cat tail uname nproc mkdir rm; do
  ln -s "$(command -v "$tool")" "$work/bin/$tool"
done
check "no apt, no LibTorch" 3 "libhdf5-dev" \
  env -i PATH="$work/bin" HOME="$work" LIBTORCH_ROOT="$work" "$work/copy/tools/setup"
check "LibTorch incomplete" 3 "has no lib/libtorch_cpu.so" \
  env -i PATH="$work/bin" HOME="$work" LIBTORCH_ROOT="$work" "$work/copy/tools/setup"
check "LibTorch not there" 3 "is not a folder" \
  env -i PATH="$work/bin" HOME="$work" LIBTORCH_ROOT=/nonexistent "$work/copy/tools/setup"
check "no python3" 3 "install python3" env -i PATH="$work/bin" HOME="$work" "$work/copy/tools/setup"

mkdir -p "$work/old/lib" "$work/old/include/ATen" "$work/old/include/torch/headeronly"
touch "$work/old/lib/libtorch_cpu.so" "$work/old/lib/libc10.so" "$work/old/include/ATen/ATen.h"
printf '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n' \
  >"$work/old/include/torch/headeronly/version.h"
ln -s "$(command -v paste)" "$work/bin/paste"
check "LibTorch too old" 3 "is LibTorch 2.9, kvscope needs 2.11" \
  env -i PATH="$work/bin" HOME="$work" LIBTORCH_ROOT="$work/old" "$work/copy/tools/setup"
