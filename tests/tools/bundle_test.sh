#!/usr/bin/env bash
# A bundle is made, is small, and its program starts with nothing but LIBTORCH_ROOT.
# usage: bundle_test.sh SOURCE_DIR BUILD_DIR LIBTORCH_ROOT
set -euo pipefail
source_dir=$1 build_dir=$2 libtorch=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

expect() { if ! "${@:2}"; then echo "FAILED: $1" >&2; exit 1; fi; }
has() { grep -q -- "$1" "$work/said"; }
# The bundle elsewhere, in an environment that knows nothing of the build.
bundled() { (cd / && env -i PATH=/usr/bin:/bin "$@" >"$work/said" 2>&1); }

"$source_dir/tools/bundle" --build "$build_dir" --output "$work/bundle" | tee "$work/said"
expect "it is small" test "$(du -sb "$work/bundle" | cut -f 1)" -le 60000000
grep 'no room$' "$work/said" | sed 's/^ *//' >"$work/left_out" || true
expect "bundle.txt names what is left out, too" \
  test "$(grep 'no room$' "$work/bundle/bundle.txt" || true)" = "$(cat "$work/left_out")"
mv "$work/bundle" "$work/moved"

expect "the program starts" bundled LIBTORCH_ROOT="$libtorch" "$work/moved/kvscope" --version
expect "it says its name" has kvscope
expect "it has unpacked itself, and left nothing else" test -z "$(find "$work/moved" -name 'unpack.*')"
expect "recorded runs are there" test -e "$work/moved/golden/scalekv_tiny_2b.safetensors"
expect "and what they borrow from" test -e "$work/moved/golden/infinity_tiny.safetensors"
if [ -x "$build_dir/tests/kvscope_kernels_tests" ]; then
  expect "the kernels' tests start" \
    bundled LIBTORCH_ROOT="$libtorch" "$work/moved/kvscope_kernels_tests" --gtest_list_tests
fi
expect "the configurations are found" bundled LIBTORCH_ROOT="$libtorch" "$work/moved/kvscope" list policies
expect "the policies are listed" has scalekv

# Its libraries come from the bundle and from LibTorch alone, the C and C++ runtimes apart.
env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$work/moved/lib:$libtorch/lib" ldd "$work/moved/bin/kvscope" |
  awk '/=>/ {print $1, $3}' | grep -vE '^lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+)\.so' |
  grep -vF -e "$work/moved/lib" -e "$libtorch" -e "$(dirname "$libtorch")/nvidia" >"$work/said" || true
expect "no library is from elsewhere: $(cat "$work/said")" test ! -s "$work/said"

if bundled LIBTORCH_ROOT=/nonexistent "$work/moved/kvscope" --version; then
  echo "FAILED: a wrong LIBTORCH_ROOT was accepted" >&2; exit 1
fi
expect "the remedy is named" has "Set it to the torch folder"

rm -r "$work/moved/bin"
truncate -s 1000000 "$work/moved/packed.tar.gz"
if bundled LIBTORCH_ROOT="$libtorch" "$work/moved/kvscope" --version; then
  echo "FAILED: a damaged bundle was used" >&2; exit 1
fi
expect "it says so" has "error: cannot unpack"

mkdir "$work/precious"
if "$source_dir/tools/bundle" --build "$build_dir" --output "$work/precious" >"$work/said" 2>&1; then
  echo "FAILED: a folder that is no bundle was replaced" >&2; exit 1
fi
expect "the folder is left alone" test -d "$work/precious"
