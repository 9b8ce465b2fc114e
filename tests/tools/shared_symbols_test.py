"""No two shared libraries of the program define a global variable of one name and different sizes.

The dynamic linker gives both the one that it finds first; where that is the smaller, the other library writes behind its end. The
program may define such a variable itself, as large as the largest: it comes first.

usage: shared_symbols_test.py PROGRAM
"""
import collections
import os
import subprocess
import sys


def libraries(program):
    for line in subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if "=>" in words and len(words) > 2 and os.path.exists(words[2]):
            yield words[2]


def variables(path):
    """name -> bytes of every global variable that the file exports; weak ones, as of templates, are meant to be shared."""
    out = subprocess.run(["nm", "-D", "-S", "--defined-only", path], capture_output=True, text=True, check=False).stdout
    found = {}
    for line in out.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "BDR":
            found[words[3].split("@")[0]] = int(words[1], 16)
    return found


def main():
    program = sys.argv[1]
    sizes = collections.defaultdict(dict)
    paths = list(libraries(program))
    for path in paths:
        for name, size in variables(path).items():
            sizes[name][os.path.basename(path)] = size
    own = variables(program)
    failed = 0
    for name, of in sorted(sizes.items()):
        if len(set(of.values())) < 2:
            continue
        if own.get(name, 0) >= max(of.values()):
            print(f"{name}: {of}, the program's own has {own[name]} bytes")
        else:
            print(f"FAILED: {name}: {of}; the program must define it with {max(of.values())} bytes or more")
            failed += 1
    print(f"{len(paths)} libraries, {len(sizes)} variables")
    sys.exit(1 if failed or not paths else 0)


if __name__ == "__main__":
    main()
