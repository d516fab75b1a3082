# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page that holds its pictures."""

import base64

from muscle_mm.reporting.comparison_table import HEADING, comparison_rows
from muscle_mm.reporting.report import Report
from muscle_mm.reporting.tables import label_of

_TEMPLATE = r"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 1700px; margin: 2rem auto; padding: 0 1.5rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .45rem; text-align: right; white-space: pre; vertical-align: top; }
th.left, td.left { text-align: left; }
thead th { border-bottom: 2px solid #1a1a1a; }
thead tr:first-child th[colspan] { text-align: center; border-bottom: 1px solid #8c8c8c; }
tr.ours td { border-top: 1px solid #d0d0d0; font-weight: 600; }
tr.published td { color: #595959; }
td.first, th.first { border-left: 1px solid #d0d0d0; }
figure { margin: 1.5rem 0; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
img { max-width: 100%; height: auto; }
.note { max-width: 60rem; color: #404040; }
.warning { border-left: 4px solid #d55e00; padding-left: 1rem; }
.warning li { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% if problems %}
<section class="warning">
<h2>Warnings</h2>
<ul>{% for line in problems %}<li>{{ line }}</li>{% endfor %}</ul>
</section>
{% endif %}
<h2>Results</h2>
{% for backbone in table.backbones %}
<h3>{{ backbone }}</h3>
<div class="wide"><table>
<thead>
<tr><th class="left" rowspan="2">pre-training</th><th rowspan="2"></th>
{% for task in table.tasks %}<th class="first" colspan="{{ table.columns[task]|length }}">{{ table.titles[task] }}</th>{% endfor %}</tr>
<tr>{% for task in table.tasks %}{% for column in table.columns[task] %}<th{% if loop.first %} class="first"{% endif %}>{{ column.header|replace(' (', '\n(') }}</th>{% endfor %}{% endfor %}</tr>
</thead>
<tbody>
{% for row in table.rows if row[0] == backbone %}
{% for who, text in (('ours', table.text_of), ('published', table.published_text)) %}
<tr class="{{ who }}"><td class="left">{{ label_of(row) if who == 'ours' }}</td><td class="left">{{ who }}</td>
{% for task in table.tasks %}{% for column in table.columns[task] %}<td{% if loop.first %} class="first"{% endif %}>{{ text(row, task, column)|replace(' (', '\n(') }}</td>{% endfor %}{% endfor %}</tr>
{% endfor %}
{% endfor %}
</tbody>
</table></div>
{% endfor %}
{% for note in notes %}<p class="note">{{ note }}</p>{% endfor %}
{% if missing %}
<h2>Missing</h2>
<ul>{% for line in missing %}<li>{{ line }}</li>{% endfor %}</ul>
{% endif %}
{% if comparisons %}
<h2>Differences</h2>
<div class="wide"><table>
<thead><tr>{% for name in heading %}<th{% if loop.index in (1, 2, 3, 7) %} class="left"{% endif %}>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in comparisons %}
<tr>{% for text in line %}<td{% if loop.index in (1, 2, 3, 7) %} class="left"{% endif %}>{{ text }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
{% for note in about_comparisons %}<p class="note">{{ note }}</p>{% endfor %}
{% endif %}
{% if pictures %}<h2>Pictures</h2>{% endif %}
{% for caption, source in pictures %}
<figure><figcaption>{{ caption }}</figcaption><img alt="{{ caption }}" src="data:image/png;base64,{{ source }}"></figure>
{% endfor %}
</body>
</html>
"""  # noqa: E501


def to_html(report: Report) -> str:
    """Write tables, comparisons and pictures into one page that needs no other file.

    Args:
        report (Report): The report, with its pictures drawn.

    Returns:
        str: The page.
    """
    from jinja2 import Environment

    pictures = [
        (title, base64.b64encode(path.read_bytes()).decode('ascii'))
        for title, path in report.pictures
    ]
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE).render(
        title='MUSCLE: results',
        table=report.table,
        label_of=label_of,
        notes=report.notes,
        missing=report.missing,
        problems=report.problems,
        heading=HEADING,
        comparisons=comparison_rows(report),
        about_comparisons=report.about_comparisons,
        pictures=pictures,
    )
