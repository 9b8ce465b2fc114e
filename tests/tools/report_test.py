"""The pages of `kvscope report` and `kvscope leaderboard` in a headless Chromium: what they show are the numbers of the CSV, what
clicks and keys do, hostile texts stay text, both themes can be read, nothing is wider than its window, paper has everything.

usage: report_test.py SOURCE_DIR BUILD_DIR
"""
import csv
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

from devtools import Page, find_chromium

KVSCOPE = pathlib.Path(sys.argv[2]) / "experiments/kvscope"
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script> \"'&{{data}} \u202egnp.exe " + "w" * 400

# The contrast of text with what is behind it, where that is a plain colour; the least readable ones.
CONTRAST = """(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = parts(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some(one => one.nodeType === 3 && one.textContent.trim()) || node.disabled) continue;
    if (!node.checkVisibility() || node.closest("svg, script, .handle, .drawing")) continue;
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(ground(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) poor.push(`${contrast.toFixed(2)} ${node.tagName}.${node.className}: ${node.textContent.trim().slice(0, 40)}`);
  }
  return poor.slice(0, 5);
})()"""


def kvscope(*words, code=0):
    answer = subprocess.run([KVSCOPE, *words], capture_output=True, text=True, check=False)
    assert answer.returncode == code, f"{words}: {answer.returncode}: {answer.stderr}"
    return answer.stdout


def sweep(folder, *words):
    kvscope("run", "-m", "model.text.overflow=cut", "gen.images=2", "gen.batch=2", "metrics.list=[psnr,ssim]",
            f"hydra.sweep.dir={folder}", *words)
    return folder


def rows_of_csv(folder):
    with open(folder / "report/table.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(page, header):
    """[visible, number or None] of every row of the table of points, in the order shown."""
    return page.evaluate(f"""(() => {{ const table = document.querySelector("#results table");
        const at = [...table.tHead.rows[0].cells].findIndex(head => head.textContent.startsWith({json.dumps(header)}));
        return [...table.tBodies[0].rows].map(row => [!row.hidden, row.cells[at].dataset.value === undefined ? null
          : Number(row.cells[at].dataset.value)]); }})()""")


def head(header):
    return f"""[...document.querySelectorAll("#results th")].find(one => one.textContent.startsWith({json.dumps(header)}))"""


def check_table(page, folder):
    expected = rows_of_csv(folder)
    for header, key in (("PSNR", "PSNR (dB)"), ("KV peak", "KV peak (MiB)")):
        shown = [value for _, value in column(page, header)]
        assert shown == [float(row[key]) if row[key] else None for row in expected], (header, shown)
    page.evaluate(f"{head('PSNR')}.querySelector('button').click()")
    numbers = [value for _, value in column(page, "PSNR")]
    assert numbers[-1] is None and numbers[:-1] == sorted(numbers[:-1], reverse=True), numbers
    assert page.evaluate(f"{head('PSNR')}.getAttribute('aria-sort')") == "descending"
    page.evaluate(f"{head('PSNR')}.querySelector('button').focus()")
    page.press("Enter")
    numbers = [value for _, value in column(page, "PSNR")]
    assert numbers[-1] is None and numbers[:-1] == sorted(numbers[:-1]), numbers
    assert page.evaluate(f"{head('PSNR')}.getAttribute('aria-sort')") == "ascending"
    missing = page.evaluate("document.querySelector('#results td.missing').title")
    assert missing == "the reference itself", missing


def type_filter(page, text):
    page.evaluate(f"""(() => {{ const field = document.getElementById("filter"); field.value = {json.dumps(text)};
        field.dispatchEvent(new Event("input")); }})()""")
    return sum(visible for visible, _ in column(page, "PSNR"))


def check_filter(page):
    assert type_filter(page, "h2o") == 2
    assert page.evaluate("document.querySelector('.filters .count').textContent") == "2 of 5 points"
    assert page.evaluate("document.querySelectorAll('.point:not(.behind)').length") == 2
    least = min(value for _, value in column(page, "PSNR") if value is not None)
    assert type_filter(page, f"psnr>{least:.6f} snapkv") in (1, 2)
    assert type_filter(page, "nothing like it") == 0
    page.evaluate("document.querySelector('.filters button').click()")
    assert type_filter(page, "") == 5
    page.evaluate("""(() => { const select = [...document.querySelectorAll(".filters select")].find(one => one.previousSibling.textContent === "policy");
        select.value = "snapkv"; select.dispatchEvent(new Event("change")); })()""")
    assert sum(visible for visible, _ in column(page, "PSNR")) == 2
    page.evaluate("document.querySelector('.filters button').click()")


def check_provenance(page):
    page.evaluate("document.querySelector('#results tbody tr:nth-child(2) td[data-value]').scrollIntoView({block: 'center'})")
    page.click("#results tbody tr:nth-child(2) td[data-value]:last-child")
    text = page.evaluate("document.getElementById('provenance-panel').textContent")
    point = page.evaluate("document.querySelector('#results tbody tr:nth-child(2)').dataset.point")
    for part in (point, "kvscope run -m model.text.overflow=cut", "policy.name", "git_commit", "images"):
        assert part in text, (part, text)
    page.press("Escape")
    page.wait("document.getElementById('provenance-panel') === null")
    # the same by keys: from the cell that has the focus now to the one below
    page.press("ArrowDown")
    page.press("Enter")
    page.wait("document.querySelector('#provenance-panel h2') !== null")
    assert page.evaluate("document.querySelector('#provenance-panel h2').textContent") != ""
    page.evaluate("document.querySelector('#provenance-panel .copy').click()")
    page.press("Escape")


def brute_hypervolume(folder, key):
    """Of all points but the full cache, cell by cell of the grid that costs and values make."""
    rows = rows_of_csv(folder)
    full = max(float(row["KV peak (MiB)"]) for row in rows if row["policy"] == "full")
    points = [(math.log10(float(row["KV peak (MiB)"])), float(row[key])) for row in rows if row["policy"] != "full" and row[key]]
    points = [point for point in points if math.isfinite(point[1])]
    across = sorted({cost for cost, _ in points} | {math.log10(full)})
    up = sorted({value for _, value in points})
    return sum((right - left) * (top - bottom) for left, right in zip(across, across[1:]) for bottom, top in zip(up, up[1:])
               if any(cost <= left and value >= top for cost, value in points))


def check_plot(page, folder):
    assert page.evaluate("document.querySelectorAll('#trade-off .fallback:not([hidden])').length") == 0
    assert page.evaluate("document.querySelectorAll('#trade-off .point').length") >= 4
    for metric, key in ((0, "PSNR (dB)"), (1, "SSIM")):
        page.evaluate(f"report.plot.metric = report.plot.metrics[{metric}]; report.plot.choose()")
        volume = page.evaluate("report.plot.front.volume")
        assert abs(volume - brute_hypervolume(folder, key)) < 1e-9 * max(1, volume), (key, volume, brute_hypervolume(folder, key))
        assert page.evaluate("document.querySelector('.hypervolume').textContent.includes(report.plot.front.volume.toPrecision(4))")
    place = """(box => { const chart = document.querySelector('.chart').getBoundingClientRect();
        return [(box.left + box.width / 2 - chart.left) / chart.width, (box.top + box.height / 2 - chart.top) / chart.height]; })
        (document.querySelector('.point:last-child .marker').getBoundingClientRect())"""
    tip = page.hover(".chart", *page.evaluate(place))
    assert "SSIM" in tip and "MiB" in tip and ("on the front" in tip or "dominated" in tip), tip
    spans = lambda: page.evaluate("[report.plot.scale.view.x, report.plot.scale.view.y].map(([a, b]) => b - a)")
    whole = spans()
    page.wheel(".chart", 0.5, 0.5, -200)
    assert all(now < before for now, before in zip(spans(), whole)), (spans(), whole)
    page.click(".chart", 0.5, 0.02)
    page.evaluate("document.querySelector('.chart').focus()")
    before = page.evaluate("report.plot.scale.view.x[0]")
    page.press("ArrowRight")
    assert page.evaluate("report.plot.scale.view.x[0]") > before
    page.press("0")
    assert spans() == whole
    page.press("+")
    assert spans()[0] < whole[0]
    page.evaluate("document.getElementById('plot-reset').click()")
    page.drag(".chart", (0.3, 0.3), (0.6, 0.7))
    assert spans()[0] < 0.5 * whole[0], spans()
    page.evaluate("document.getElementById('plot-reset').click()")
    page.evaluate("document.querySelector('.legend .series').click()")
    assert 0 < page.evaluate("document.querySelectorAll('.point.behind').length") < 5
    page.evaluate("document.querySelector('.legend .series').click()")
    page.evaluate("document.querySelector('.point[tabindex=\"0\"]').focus()")
    page.press("ArrowRight")
    page.press("Enter")
    assert page.evaluate("document.querySelector('#provenance-panel .number').textContent").startswith("SSIM")
    page.press("Escape")


def check_images(page):
    now = lambda: float(page.evaluate("document.querySelector('.handle').getAttribute('aria-valuenow')"))
    assert now() == 50
    page.evaluate("document.querySelector('.handle').focus()")
    page.press("ArrowLeft")
    assert now() == 48
    page.press("End")
    assert now() == 100
    page.drag(".stage", (0.9, 0.5), (0.25, 0.5))
    assert abs(now() - 25) <= 2, now()
    clip = page.evaluate("getComputedStyle(document.querySelector('.stage .above')).clipPath")
    assert clip.startswith("inset(0px 7"), clip
    page.evaluate("document.querySelector('[data-mode=difference]').click()")
    drawn = """(async factor => { const range = document.querySelector('.amplify input'); range.value = Math.log2(factor);
        range.dispatchEvent(new Event('input')); await new Promise(done => setTimeout(done, 60));
        const canvas = document.querySelector('.comparison canvas');
        return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 < 3); })"""
    once, often = page.evaluate(f"{drawn}(1)"), page.evaluate(f"{drawn}(16)")
    assert len(once) > 0 and any(once), "full cache and eviction gave the same image"
    assert often == [min(255, 16 * value) for value in once]
    page.click(".images tbody tr:nth-child(2) td:nth-child(3) img")
    prompt = page.evaluate("document.querySelector('.comparison .prompt').textContent")
    assert page.evaluate("report.comparisons[0].prompt") == 1 and "second" in prompt, prompt
    page.evaluate("report.comparisons[0].prompt = 0; report.comparisons[0].draw()")
    assert "<img src=x onerror=alert(1)></script>" in page.evaluate("document.querySelector('.comparison .prompt').textContent")
    assert "\u202e" not in page.evaluate("document.documentElement.textContent")


def check_looks(page):
    grounds = []
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        poor = page.evaluate(CONTRAST)
        assert not poor, (scheme, poor)
    page.evaluate("document.getElementById('theme').click()")
    grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1] and grounds[2] == grounds[0], grounds
    page.evaluate("delete document.documentElement.dataset.theme")
    page.prefer("light")
    for width in (400, 1400):
        page.size(width, 900)
        page.evaluate("new Promise(done => setTimeout(done, 60))")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{wide} pixels wider than a window of {width}"


def check_paper(page):
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF") and len(pdf) > 20000, len(pdf)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 8
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('main details:not([open])').length") == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def thousand_points(html):
    """The page with its points many times over, each with a hash of its own."""
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])
    body = re.search(r'id="results".*?<tbody>\n(.*?)</tbody>', html, re.S)
    rows = [row for row in body[1].split("\n") if row]
    originals = list(data["points"])
    first = len(originals)
    many_rows = []
    for i in range(1000):
        point = dict(originals[i % first])
        old = point["hash"][:12]
        point["hash"] = f"{i:012x}" + point["hash"][12:]
        if i >= first:
            data["points"].append(point)
            data["groups"][0]["points"].append(i)
        else:
            data["points"][i] = point
        many_rows.append(next(row for row in rows if old in row).replace(old, f"{i:012x}"))
    html = html.replace(body[1], "\n".join(many_rows) + "\n")
    safe = json.dumps(data).replace("<", "\\u003c")
    return re.sub(r'(id="data">).*?(</script>)', lambda match: match[1] + safe + match[2], html, flags=re.S)


def check_thousand(page, html, folder):
    (folder / "many.html").write_text(thousand_points(html), encoding="utf-8")
    seconds = page.open(folder / "many.html")
    took = page.evaluate(f"""(() => {{ const begin = performance.now(); {head('PSNR')}.querySelector('button').click();
        document.body.offsetHeight; return performance.now() - begin; }})()""")
    assert len(column(page, "PSNR")) == 1000
    assert seconds < 8 and took < 2000, (seconds, took)
    assert type_filter(page, "h2o") == 400


def check_leaderboard(page, path):
    page.open(path)
    names = lambda: page.evaluate("[...document.querySelectorAll('.ranking tbody tr')].map(row => row.cells[2].textContent)")
    assert sorted(names()) == ["h2o", "snapkv"], names()
    values = page.evaluate("[...document.querySelectorAll('.ranking tbody tr')].map(row => Number(row.cells[3].dataset.value))")
    assert values == sorted(values, reverse=True)
    assert page.evaluate("[...document.querySelectorAll('.ranking .thumbnail img')].every(image => image.complete && image.naturalWidth > 0)")
    choose = """((name, value) => { const select = [...document.querySelectorAll('.ranking select')].find(one => one.previousSibling.textContent === name);
        select.value = value; select.dispatchEvent(new Event('change')); return [...select.options].map(one => one.text); })"""
    options = page.evaluate(f"{choose}('at', '20 %')")
    assert any("20 % or less" in text for text in options), options
    # the other temperature is not ranked with them
    groups = page.evaluate(f"{choose}('Setting', 1)")
    assert len(groups) == 2 and all("tau" in text for text in groups), groups
    assert names() == ["h2o"], names()
    assert "unmade" in page.evaluate("document.getElementById('left-out').textContent")
    page.click(".ranking tbody tr td[data-value]:nth-child(4)")
    assert page.evaluate("document.getElementById('provenance-panel') !== null")
    page.press("Escape")
    check_looks(page)


def check_without_scripts(page, path):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open_still(path)
    page.screenshot(path.parent / "still.png")
    document = page.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    found = page.call("DOM.querySelectorAll", nodeId=document, selector="#trade-off .fallback svg")["nodeIds"]
    assert len(found) == 2, found
    box = page.call("DOM.getBoxModel", nodeId=found[0])["model"]
    assert box["width"] > 300 and box["height"] > 200, box
    page.call("Emulation.setScriptExecutionDisabled", value=False)


def main():
    if not find_chromium():
        print("skipped: no Chromium here (Debian: chromium)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "prompts.txt").write_text(f"a circle {HOSTILE}\nthe second\n", encoding="utf-8")
        own = ["prompts.source=file", f"prompts.file={folder / 'prompts.txt'}"]
        first = sweep(folder / "first", "policy=full,snapkv,h2o", "budget.ratio=0.1,0.2", *own)
        second = sweep(folder / "second", "policy=full,h2o", "budget.ratio=0.2", "gen.tau=0.5", *own)
        board = folder / "board.html"
        kvscope("leaderboard", first, second, folder / "absent", "--to", board, code=3)
        assert not board.exists()
        (folder / "unmade").mkdir()
        kvscope("leaderboard", first, second, folder / "unmade", "--to", board)
        said = json.loads(kvscope("leaderboard", first, second, "--to", board.with_name("other.html"), "--json"))
        assert {one["budget"] for one in said["rankings"]} == {"", "10 %", "20 %"} and said["left_out"] == []
        html = (first / "report/index.html").read_text(encoding="utf-8")
        with Page() as page:
            page.open(first / "report/index.html")
            check_table(page, first)
            check_filter(page)
            check_provenance(page)
            check_plot(page, first)
            check_images(page)
            check_looks(page)
            check_paper(page)
            check_leaderboard(page, board)
            check_thousand(page, html, folder)
            check_without_scripts(page, first / "report/index.html")
            assert not page.errors, "\n".join(page.errors)
    print("passed")


if __name__ == "__main__":
    main()
