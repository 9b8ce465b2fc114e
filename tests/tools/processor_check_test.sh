#!/usr/bin/env bash
# The program looks for the processor's features before it uses any: what looks is compiled for every
# x86-64, and runs before the other constructors of the program.
# usage: processor_check_test.sh BUILD_DIR
set -euo pipefail
object=$1/experiments/CMakeFiles/kvscope.dir/processor_check.cpp.o
if ! command -v objdump >/dev/null; then echo "skipped: no objdump"; exit 0; fi

fail() { echo "FAILED: $1" >&2; exit 1; }
code=$(objdump -d --no-show-raw-insn "$object" | cut -f 2 | awk '{print $1}' | sort -u)
[ -n "$code" ] || fail "no code in $object"
# AVX instructions begin with v; shlx, andn, lzcnt and the like are of BMI and LZCNT.
newer=$(grep -E '^(v[a-z0-9]+|shlx|shrx|sarx|rorx|mulx|pdep|pext|andn|bextr|bls[a-z]+|bzhi|lzcnt|tzcnt|movbe)$' \
  <<<"$code" | grep -vE '^(verr|verw)$' || true)
[ -z "$newer" ] || fail "it uses what it looks for: $newer"
objdump -h "$object" | grep -q 'init_array.*101' || fail "it is no constructor of priority 101"
"$1/experiments/kvscope" --version >/dev/null || fail "the program does not start here"
