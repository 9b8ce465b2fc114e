"""Cells and tables of report.md."""


def number(value, digits=None):
    """A cell; empty for what was not measured."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return f"{value:.3g}" if digits is None else f"{value:,.{digits}f}"


def mebibytes(value):
    return "" if value is None else number(value / 2 ** 20, 1)


def percent(share):
    return "" if share is None else f"{100 * share:.1f} %"


def escaped(cell):
    return str(cell).replace("|", "\\|").replace("\n", " ").strip()


def table(header, rows):
    """Lines of a table, and an empty one."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows]
    return lines + [""]
