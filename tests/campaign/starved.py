"""Kinds of ill-treatment that take away what the program needs: disk, rights, memory, open files."""

import os
import resource
import shutil
import subprocess
import time


def little_room(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("room")
    limit = int(10 ** bench.choice.uniform(0, 5.5))
    ended = bench.run(bench.sweep(folder), limits=[(resource.RLIMIT_FSIZE, limit)])
    tally.count(ended.fault((0, 1, 3)) or bench.end_differs(folder))


def full_disk(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("disk")
    size = bench.choice.choice([4, 16, 64, 128, 256, 512, 1024])
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        tally.note = "nothing may be mounted here: RLIMIT_FSIZE stands for it"
        return little_room(bench, tally)
    try:
        ended = bench.run(bench.sweep(folder))
        fault = ended.fault((0, 1, 3))
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        tally.count(fault or bench.end_differs(folder))
    finally:
        subprocess.run(["umount", folder], check=True)
    return None


def read_only(bench, tally):
    """A results folder on a file system that becomes read-only while the program works."""
    bench.whole_sweep()
    folder = bench.folder("read_only")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        tally.note = "nothing may be mounted here"
        return
    try:
        shutil.copytree(bench.whole_sweep()[0], folder, dirs_exist_ok=True)
        points = os.path.join(folder, "points")
        shutil.rmtree(os.path.join(points, bench.choice.choice(sorted(os.listdir(points)))))
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        fault = bench.run(["table", folder]).fault((0, 3))
        fault = fault or bench.run(["report", folder]).fault((0, 3))
        fault = fault or bench.run(bench.sweep(folder)).fault((1, 3))
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        tally.count(fault or bench.end_differs(folder))
    finally:
        subprocess.run(["umount", folder], check=True)


def removed_folder(bench, tally):
    """A folder of the results disappears while the program works."""
    bench.whole_sweep()
    folder = bench.folder("removed")
    words = bench.sweep(folder)
    process = bench.start(words)
    time.sleep(bench.choice.uniform(0.2, 2))
    points = os.path.join(folder, "points")
    here = sorted(os.listdir(points)) if os.path.isdir(points) else []
    shutil.rmtree(os.path.join(points, bench.choice.choice(here)) if here else folder, ignore_errors=True)
    tally.count(bench.finish(words, process).fault((0, 1, 3)) or bench.end_differs(folder))


def revoked(bench, tally):
    """Files and folders that the program may not touch; a superuser is held to rights by setpriv."""
    held = []
    if os.getuid() == 0:
        held = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if not shutil.which("setpriv"):
            tally.note = "as root it needs setpriv"
            return
    folder = bench.copy_of_whole("revoked")
    places = [os.path.join(where, name) for where, folders, files in os.walk(folder) for name in folders + files]
    taken = bench.choice.sample(sorted(places), 2)
    for place in taken:
        os.chmod(place, bench.choice.choice([0, 0o400, 0o500] if os.path.isdir(place) else [0, 0o200]))
    fault = bench.run(["table", folder], before=held).fault((0, 3))
    fault = fault or bench.run(["report", folder], before=held).fault((0, 3))
    fault = fault or bench.run(bench.sweep(folder), before=held).fault((0, 1, 3))
    for place in places:
        if os.path.lexists(place):
            os.chmod(place, 0o755)
    tally.count(fault or bench.end_differs(folder))


def little_memory(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("memory")
    limit = int(bench.choice.uniform(0.3, 2.5) * (1 << 30))
    words = bench.sweep(folder, "gen.batch=auto")
    ended = bench.run(words, limits=[(resource.RLIMIT_AS, limit)])
    loaded = "cannot open shared object" not in ended.err and "error while loading" not in ended.err
    fault = ended.fault((0, 1, 3)) if loaded else None
    tally.count(fault or bench.end_differs(folder))


def little_memory_for_a_record(bench, tally):
    """The shipped model, whose batches are halved until they fit."""
    def words(out):
        return ["attention", "record", "gen.batch=auto", "gen.images=16", "threads=1", "--statistics", "mass.step",
                "--out", out]

    def shown(out):
        return bench.run(["attention", "show", out, "mass.step"]).out.replace(out, "FILE")

    def whole():
        out = os.path.join(bench.folder("whole_memory_record"), "attention.h5")
        ended = bench.run(words(out))
        assert ended.fault() is None, ended.fault()
        return shown(out)
    expected = bench.once("memory record", whole)
    out = os.path.join(bench.folder("memory_record"), "attention.h5")
    ended = bench.run(words(out), limits=[(resource.RLIMIT_AS, int(bench.choice.uniform(0.48, 1.0) * (1 << 30)))])
    loaded = "cannot open shared object" not in ended.err and "error while loading" not in ended.err
    fault = (ended.fault((0, 3)) if loaded else None) or bench.run(words(out)).fault()
    tally.count(fault or (None if shown(out) == expected else "the record is other than one with ample memory"))


def few_open_files(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("files")
    limit = bench.choice.randint(4, 40)
    ended = bench.run(bench.sweep(folder, f"workers={bench.choice.choice([1, 2])}"),
                      limits=[(resource.RLIMIT_NOFILE, limit)])
    loaded = "cannot open shared object" not in ended.err and "error while loading" not in ended.err
    tally.count((ended.fault((0, 1, 3)) if loaded else None) or bench.end_differs(folder))


KINDS = {
    "files that cannot grow": little_room,
    "full disk": full_disk,
    "read-only results": read_only,
    "folder removed under way": removed_folder,
    "rights revoked": revoked,
    "little memory": little_memory,
    "little memory, record": little_memory_for_a_record,
    "few open files": few_open_files,
}
