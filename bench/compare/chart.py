"""Draws the figures as an SVG that reads well on light and on dark pages."""

import html

import tables

WIDTH = 860
COLUMNS = 2
LEFT = 104  # of a panel's bars: room for names
PANEL_WIDTH = WIDTH // COLUMNS
BAR_WIDTH = PANEL_WIDTH - LEFT - 78  # room for the figure behind the longest bar
BAR_HEIGHT = 13
BAR_STEP = 19
TITLE_HEIGHT = 30
MARGIN = 16
TOP = 40

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #6e7781; }
.title { font-weight: 600; fill: #57606a; }
.name, .figure { fill: #6e7781; }
.own { font-weight: 600; fill: #0969da; }
.bar { fill: #afb8c1; }
.floor { fill: none; stroke: #afb8c1; }
.wsio { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  text, .name, .figure { fill: #8b949e; }
  .title { fill: #b1bac4; }
  .own { fill: #58a6ff; }
  .bar { fill: #484f58; }
  .floor { fill: none; stroke: #6e7681; }
  .wsio { fill: #1f6feb; }
}
"""


def text(x, y, content, name, anchor="start"):
    return f'<text x="{x}" y="{y}" class="{name}" text-anchor="{anchor}">{html.escape(content)}</text>'


def panel_title(workload):
    if tables.is_memory(workload):
        return "Idle connection: bytes (less is better)"
    unit = "connections/s" if workload.unit == "connection" else "messages/s"
    return "Connections opened and closed: /s" if workload.unit == "connection" else f"{workload.title}: {unit}"


def panel(x, y, workload, found, names):
    parts = [text(x, y + 14, panel_title(workload), "title")]
    longest = max(tables.figure(workload, found[name]) for name in names)
    for row, name in enumerate(names):
        value = tables.figure(workload, found[name])
        top = y + TITLE_HEIGHT - 6 + row * BAR_STEP
        width = max(value / longest * BAR_WIDTH, 1)
        own = name == "wsio"
        parts.append(text(x + LEFT - 8, top + 11, name, "own" if own else "name", "end"))
        parts.append(f'<rect x="{x + LEFT}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2" '
                     f'class="{"wsio" if own else "floor" if name == "floor" else "bar"}"/>')
        figure = f"{value:.0f}" if tables.is_memory(workload) else tables.number(value)
        parts.append(text(round(x + LEFT + width + 6, 1), top + 11, figure, "own" if own else "figure"))
    return parts


def draw(results, path):
    """Writes the chart into a file: one panel for each workload, each with a scale of its own."""
    parts = []
    workloads = tables.measured_workloads(results)
    y = TOP
    for begin in range(0, len(workloads), COLUMNS):
        tallest = 0
        for column, workload in enumerate(workloads[begin:begin + COLUMNS]):
            found = results["workloads"][workload.name]
            names = [name for name in tables.in_order(results) if name in found]
            if not names:
                continue
            parts += panel(MARGIN + column * PANEL_WIDTH, y, workload, found, names)
            tallest = max(tallest, len(names))
        y += TITLE_HEIGHT + tallest * BAR_STEP + 16
    head = "Echo of WebSocket messages, one thread (connections x payload). The outlined bar is the limit: bare epoll"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img" '
                   f'aria-label="{head}">\n<style>{STYLE}</style>\n')
        file.write("\n".join([text(MARGIN, 22, head, "name"), *parts]))
        file.write("\n</svg>\n")
