#!/usr/bin/env bash
# docs/install.md: what is installed works from another folder, knows nothing of the checkout, may be moved, and is enough to
# build components of policies against, by the script and by CMake.
# usage: install_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source_dir=$1 build_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check WHAT TEXT COMMAND...: it succeeds and says so, in an environment that knows nothing of the build.
check() {
  local status=0
  (cd "$work/elsewhere" && env -i HOME="$work" PATH=/usr/local/bin:/usr/bin:/bin "${@:3}") >"$work/said" 2>&1 </dev/null ||
    status=$?
  if [ "$status" != 0 ] || ! grep -qF -- "$2" "$work/said"; then
    echo "FAILED: $1: exit $status, expected 0 and '$2'; it said:" >&2
    cat "$work/said" >&2
    exit 1
  fi
}

mkdir "$work/elsewhere"
cmake --install "$build_dir" --prefix "$work/first" >"$work/said" || { cat "$work/said" >&2; exit 1; }
mv "$work/first" "$work/prefix with a blank"
prefix="$work/prefix with a blank"
kvscope=$prefix/bin/kvscope

if grep -rlF "$source_dir" "$prefix" --include='*.cmake' --include=plugin_flags; then
  echo "FAILED: these name the checkout" >&2
  exit 1
fi
check "it starts" kvscope "$kvscope" --version
check "configurations are found" snapkv "$kvscope" list policies
check "models are found, and images are made" red.png "$kvscope" generate prompt="a red circle" --out red.png
check "a link to it does the same" scalekv bash -c "ln -s '$kvscope' link && ./link list policies"
test -s "$work/elsewhere/red.png"
for file in man/man1/kvscope.1 bash-completion/completions/kvscope zsh/site-functions/_kvscope fish/vendor_completions.d/kvscope.fish; do
  if ! grep -q kvscope "$prefix/share/$file"; then echo "FAILED: share/$file" >&2; exit 1; fi
done

cp "$source_dir/docs/own_policy/value_norm.cpp" "$work/elsewhere/"
check "a component is built by the script" by_script.so "$prefix/bin/kvscope-build-policy" value_norm.cpp by_script.so
check "and listed" by_script.so "$kvscope" list components --plugin ./by_script.so
mkdir "$work/elsewhere/project"
cat >"$work/elsewhere/project/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.22)
project(loud LANGUAGES CXX)
find_package(kvscope REQUIRED)
kvscope_add_plugin(by_cmake ../value_norm.cpp)
TEXT
check "a component is built by CMake" by_cmake.so bash -c \
  "cmake -G Ninja -S project -B b '-DCMAKE_PREFIX_PATH=$prefix' && cmake --build b && ls b"
check "and listed, too" by_cmake.so "$kvscope" list components --plugin b/by_cmake.so
echo "installed: $(du -sm "$prefix" | cut -f 1) MB"
