"""The page of `kvscope attention explore` in a headless Chromium: no errors, no requests, what keys and clicks do, and that every
number under the pointer is the file's.

usage: explorer_test.py SOURCE_DIR BUILD_DIR
"""
import pathlib
import subprocess
import sys
import tempfile

from devtools import Page, find_chromium
from tiny_model import TINY

SOURCE = pathlib.Path(sys.argv[1])
KVSCOPE = pathlib.Path(sys.argv[2]) / "experiments/kvscope"

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


def kvscope(*words):
    answer = subprocess.run([KVSCOPE, *words], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, f"{words}: {answer.stderr}"
    return answer


def record(folder, name, *words):
    kvscope("attention", "record", *words, "--out", folder / f"{name}.h5")
    return folder / f"{name}.h5"


def shown_by_kvscope(path, name, **at):
    """A single number of a record as `kvscope attention show` prints it, to four digits or better."""
    words = [word for key, value in at.items() for word in ("--at", f"{key}={value}")]
    return float(kvscope("attention", "show", path, name, *words).stdout.split()[-1])


def value_of(tip):
    return float(tip.split("\n")[:2][-1].split()[0])


class Numbers:
    """Numbers of a record from h5py where it is installed, else from `kvscope attention show`."""

    def __init__(self, path):
        self.path = path
        try:
            import h5py
            self.file = h5py.File(path)
        except ImportError:
            self.file = None

    def check(self, text, name, **at):
        """That the second line of a tip (or its only one) is the number at these coordinates."""
        found = value_of(text)
        if self.file is None:
            expected = shown_by_kvscope(self.path, name, **at)
            assert abs(found - expected) <= 1e-3 * abs(expected) + 1e-9, (name, at, text, expected)
            return
        array = self.file[f"arrays/{name}"]
        index = []
        for axis in array.dims:
            along = [i for i in range(len(axis[0])) if all(axis[key][i] == at[key] for key in axis.keys() if key in at)]
            assert len(along) == 1, (name, axis.label, along)
            index.append(along[0])
        assert array.dtype.type(found) == array[tuple(index)], (name, at, text, array[tuple(index)])


def check_overview(page, numbers):
    assert page.evaluate("document.querySelectorAll('#grid .head').length") == 4
    # step 3 of 4 down, step 1 of 4 across
    page.click('.head[data-layer="1"][data-head="0"]')
    assert "Layer 1, head 0" in page.evaluate("document.querySelector('#detail h2').textContent")
    for row, column in ((3, 1), (2, 2), (0, 0)):
        tip = page.hover("#detail .map", (column + 0.5) / 4, (row + 0.5) / 4)
        assert f"scale {row}" in tip and f"on scale {column}" in tip, tip
        numbers.check(tip, "mass.step", layer=1, head=0, step=row, on_step=column)
    tip = page.hover('.head[data-layer="0"][data-head="1"] .thumb', 0.4, 0.9)
    numbers.check(tip, "mass.step", layer=0, head=1, step=3, on_step=1)
    # keys: to the right, down, another array, marked for the curves
    page.press("ArrowUp")
    page.press("ArrowRight")
    assert "Layer 0, head 1" in page.evaluate("document.querySelector('#detail h2').textContent")
    page.press("p")
    assert page.evaluate("explorer.state.pins") == [[0, 1]]
    page.evaluate("(select => { select.value = 'variance.query'; select.dispatchEvent(new Event('change')); })"
                  "(document.querySelector('.controls select'))")
    tip = page.hover('.head[data-layer="1"][data-head="1"] .thumb')
    numbers.check(tip, "variance.query", layer=1, head=1)
    # ordered by a number, the highest first
    page.evaluate("(select => { select.value = 'variance.query'; select.dispatchEvent(new Event('change')); })"
                  "(document.querySelectorAll('.controls select')[1])")
    values = page.evaluate("""[...document.querySelectorAll('#grid .head')].map(head =>
        explorer.records[0].byName.get('variance.query').of(Number(head.dataset.layer), Number(head.dataset.head))[0])""")
    assert values == sorted(values, reverse=True) and len(set(values)) == 4, values
    page.evaluate("explorer.state.order = 'place'; explorer.state.array = 'mass.key'")
    page.press("1")
    tip = page.hover("#detail .map", 4.5 / 78, 3.5 / 4)
    assert "key" in tip, tip


def check_image(page, numbers):
    page.press("2")
    page.evaluate("explorer.views.image.chooseGrid(3)")
    picture = page.evaluate("(image => [image.complete, image.naturalWidth])(document.querySelector('.stage img'))")
    assert picture[0] and picture[1] > 0, picture
    page.click(".stage", 0.95, 0.05)
    query = page.evaluate("(query => [query.step, query.line, query.column])(explorer.view.panels[0].query)")
    assert query[0] == 3 and query[1] <= 1 and query[2] >= 6, query
    token = query[1] * 8 + query[2]
    page.press("ArrowDown")
    page.press(".")
    assert page.evaluate("document.querySelector('.said').textContent").startswith("Layer 1, head")
    head = page.evaluate("explorer.view.heads[0]")
    for grid, side, line, column in ((1, 2, 1, 0), (2, 3, 0, 2), (3, 8, 5, 6)):
        tip = page.hover(f'.grid[data-grid="{grid}"] .map', (column + 0.5) / side, (line + 0.5) / side)
        assert f"scale {grid}, line {line}, column {column}" in tip, tip
        numbers.check(tip, "map.query", layer=1, head=head, step=3, query=token, on_step=grid, line=line, column=column)
    # the same cells lie under the image
    tip = page.hover(".stage", 0.99, 0.01).split("\n")
    assert len(tip) == 4, tip
    numbers.check(tip[2].split(": ")[1], "map.query", layer=1, head=head, step=3, query=token, on_step=2, line=0, column=2)
    # scales, cells and heads by key
    page.press("ArrowLeft")
    assert page.evaluate("explorer.view.panels[0].query.step") == 2
    before = page.evaluate("explorer.view.panels[0].query.column")
    page.press("a")
    assert page.evaluate("explorer.view.panels[0].query.column") < before
    page.press("m")
    assert "mean of 2 heads" in page.evaluate("document.querySelector('.said').textContent")
    page.click(".strip .head", modifiers=0)
    assert page.evaluate("explorer.view.heads") == [0]
    page.press("o")
    assert page.evaluate("document.querySelectorAll('.overlay canvas').length") == 0
    page.press("o")


def check_curves(page, numbers):
    page.evaluate("explorer.state.array = 'mass.step'; explorer.state.pins = [[1, 0]]")
    page.press("3")
    point = page.evaluate("""(dot => { const box = dot.getBoundingClientRect(); const chart = dot.ownerSVGElement.getBoundingClientRect();
        return [(box.left + box.width / 2 - chart.left) / chart.width, (box.top + box.height / 2 - chart.top) / chart.height]; })
        (document.querySelectorAll('#along .dot')[2])""")
    tip = page.hover("#along .chart", *point)
    assert "scale 2" in tip and "on scale 2" in tip, tip
    numbers.check(tip, "mass.step", layer=1, head=0, step=2, on_step=2)
    page.press("ArrowRight")
    assert "at scale 0" in page.evaluate("document.querySelector('#layers figcaption').textContent")


def check_themes(page):
    grounds = []
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.press("t")
    grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1] and grounds[2] == grounds[0], grounds
    page.press("t")
    page.prefer("light")
    page.press("t")
    page.evaluate("localStorage.clear(); delete document.documentElement.dataset.theme")


def check_widths(page):
    for width in (400, 1400):
        page.size(width, 900)
        for view in "123":
            page.press(view)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"view {view} is {wide} pixels wider than a window of {width}"
            assert page.evaluate("document.querySelectorAll('#help kbd').length") > 3


def check_comparison(page, first, second):
    assert page.evaluate("document.querySelectorAll('#detail figure').length") == 3
    tips = [page.hover(f'#detail figure[data-panel="{panel}"] .map', 0.4, 0.9) for panel in ("A", "B")]
    first.check(tips[0], "mass.step", layer=0, head=0, step=3, on_step=1)
    second.check(tips[1], "mass.step", layer=0, head=0, step=3, on_step=1)
    page.press("c")
    page.press("c")
    tip = page.hover('.head[data-layer="0"][data-head="0"] .thumb', 0.4, 0.9)
    numbers = [value_of(text) for text in (tips[0], tips[1], tip)]
    assert abs(numbers[1] - numbers[0] - numbers[2]) <= 1e-3 * abs(numbers[2]) + 1e-9, numbers
    page.press("2")
    assert page.evaluate("document.querySelectorAll('.panel').length") == 3
    tip = page.hover('.panel.difference .map', 0.5, 0.5)
    assert "\nA " in tip and "\nB " in tip, tip
    page.press("3")
    assert page.evaluate("document.querySelectorAll('#along .chart').length") == 1


def main():
    if not find_chromium():
        print("skipped: no Chromium here (Debian: chromium)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "prompts.txt").write_text(f"a circle {HOSTILE}\nb\n", encoding="utf-8")
        own = ["model=shapes_next_scale", *TINY, "gen.images=2", "gen.batch=2", "prompts.source=file", f"prompts.file={folder / 'prompts.txt'}"]
        full = record(folder, "full", *own, "--query-maps")
        evicting = record(folder, "h2o", *own, "policy=h2o", "budget.tokens=6", "--query-maps")
        bare = record(folder, "bare", *own, "--statistics", "mass.step")
        raster = record(folder, "raster", "model=shapes_next_token", "gen.images=1", "gen.batch=1", "--query-maps",
                        "--statistics", "mass.offset,mass.condition,mass.key")
        for words, out in (([full], "one"), ([full, evicting], "two"), ([bare], "bare"), ([raster], "raster"), ([full, raster], "models")):
            kvscope("attention", "explore", *words, "-o", folder / f"{out}.html")
        with Page() as page:
            page.open(folder / "one.html")
            numbers = Numbers(full)
            check_overview(page, numbers)
            check_image(page, numbers)
            assert HOSTILE in page.evaluate("document.querySelector('.prompt').textContent")
            check_curves(page, numbers)
            check_themes(page)
            check_widths(page)
            page.open(folder / "two.html")
            check_comparison(page, numbers, Numbers(evicting))
            page.open(folder / "bare.html")
            page.press("2")
            assert "--query-maps" in page.evaluate("document.querySelector('.notice code').textContent")
            page.open(folder / "raster.html")
            page.press("2")
            page.click(".stage", 0.5, 0.5)
            tip = page.hover('.condition [data-token="9"]')
            step = page.evaluate("explorer.view.panels[0].query.step")
            Numbers(raster).check(tip, "map.query", layer=0, head=0, step=step, query=0, on_step=0, column=9)
            page.press("ArrowRight")
            assert page.evaluate("explorer.view.panels[0].query.step") > step
            page.open(folder / "models.html")
            for key in "cc231":
                page.press(key)
            assert not page.errors, "\n".join(page.errors)
    print("passed")


if __name__ == "__main__":
    main()
