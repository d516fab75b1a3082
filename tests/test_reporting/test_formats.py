# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from PIL import Image

from muscle_mm.reporting.comparison_table import p_text
from muscle_mm.reporting.html_report import to_html
from muscle_mm.reporting.json_report import to_json
from muscle_mm.reporting.latex_report import to_latex
from muscle_mm.reporting.markdown_report import to_markdown
from muscle_mm.reporting.report import read_study
from muscle_mm.reporting.text_report import to_text

AWKWARD = 'Knee <b> & 50% | $x_1$ {#1} ~^\\'


@pytest.fixture
def report(tmp_path, add_cell, add_films):
    """One seed: published values as results, two models of lungs with films, a broken file."""
    for task in ('pneumonia', 'mura', 'tbx'):
        add_cell(task, 'muscle')
    add_films('lung', 'muscle')
    add_films('lung', 'scratch')
    (add_cell('tbx', 'scratch') / 'test_metrics.json').write_text('{"a_b": ')
    return read_study(tmp_path, {'mura': AWKWARD}, 'A note.')


def test_text_fits_a_terminal(report):
    blocks = to_text(report).split('\n\n')
    lines = blocks[0].splitlines()
    assert max(map(len, [*lines, *blocks[3].splitlines()])) <= 80
    assert lines[0].split() == [
        'Pneumonia', 'accuracy', 'sensitivity', 'specificity', 'AUC', '(95%', 'CI)', 'published',
    ]  # fmt: skip
    assert len(lines) == 12  # heading, line, and the ten published rows
    assert lines[2].split() == ['R18', 'Scratch', *'––––', '96.58']  # noqa: RUF001
    assert '99.61 (99.32-99.83)' in lines[6]


def test_text_has_comparisons_missing_cells_and_warnings(report):
    text = to_text(report)
    assert 'A note.' in text
    assert re.search(r'^Lung Dice  R18 +MUSCLE - Scratch +[+-]\d', text, re.MULTILINE)
    assert '\nMissing:\n  R18 Scratch: Pneumonia; ' in text
    assert '\nWarnings:\n' in text
    assert 'cannot be read as JSON' in text


def test_markdown_has_the_published_columns_and_ours_beside_published(report):
    lines = to_markdown(report).splitlines()
    heading = next(line for line in lines if line.startswith('| backbone'))
    assert heading.startswith(
        '| backbone, pre-training |  | Pneumonia: accuracy / sensitivity / specificity / '
        'AUC (95% CI) | Knee \\<b> & 50% \\| $x\\_1$'
    )
    assert heading.endswith('| Lung: Dice / mIoU | TBX: mAP / AP-Active / AP-Latent |')
    ours = lines.index(next(line for line in lines if line.startswith('| R18 MUSCLE |')))
    assert lines[ours].startswith(
        '| R18 MUSCLE | ours | 97.26 / 97.42 / 96.84 / 99.61 (99.32-99.83) |'
    )
    assert lines[ours + 1] == (
        '|  | published | 97.26 / 97.42 / 96.84 / 99.61 (99.32-99.83) '
        '| 82.62 / 74.28 / 88.42 / 88.50 (87.46-89.57) | 95.37 / 94.22 | 36.71 / 64.84 / 8.59 |'
    )
    assert sum('| ours |' in line for line in lines) == 10
    widths = {line.replace('\\|', '').count('|') for line in lines if line.startswith('|')}
    assert widths == {7, 8}  # results and comparisons: no title adds a column


def test_json_holds_every_value(report):
    content = json.loads(to_json(report))
    rows = {row['label']: row for row in content['rows']}
    assert len(rows) == 10
    cell = rows['R18 MUSCLE']['tasks']['pneumonia']
    assert cell['mean']['binary/accuracy'] == 97.264
    assert cell['seeds']['0']['binary/auc'] == 99.61
    assert cell['standard_deviation']['binary/auc'] is None
    assert cell['main_measure'] == 'binary/auc'
    assert cell['main_interval'] == [99.32, 99.83]
    assert cell['published']['binary/auc'] == 99.61
    missing = rows['R50 MUSCLE']['tasks']['tbx']
    assert missing['seeds'] == missing['mean'] == {}
    assert missing['published']['detection/map'] == 37.83
    one = content['comparisons'][0]
    assert (one['task'], one['first'], one['second']) == ('lung', 'muscle', 'scratch')
    assert one['low'] < one['difference'] < one['high']
    assert 0 < one['p_value'] <= one['adjusted'] <= 1


def test_json_has_null_for_what_is_not_defined(tmp_path, add_cell):
    add_cell('hip', 'muscle', metrics={'binary/auc': float('nan')})
    content = json.loads(to_json(read_study(tmp_path)))
    row = next(row for row in content['rows'] if row['label'] == 'R18 MUSCLE')
    assert row['tasks']['hip']['mean'] == {'binary/auc': None}


def test_latex_escapes_and_has_booktabs(report):
    text = to_latex(report)
    assert r'\usepackage{booktabs' in text
    assert text.count(r'\toprule') == text.count(r'\bottomrule') == 3
    assert r'Knee $<$b$>$ \& 50\% | \$x\_1\$ \{\#1\} \textasciitilde{}\textasciicircum{}' in text
    assert '99.61 (99.32--99.83)' in text
    assert '10.1007/978-3-031-16452-1' in text
    assert 'MUSCLE-{}-' in text
    rows = [line for line in text.splitlines() if ' & ours & ' in line]
    assert len(rows) == 10
    assert {line.count(' & ') for line in rows} == {14}


@pytest.mark.skipif(not shutil.which('pdflatex'), reason='needs pdflatex')
def test_latex_compiles(report, tmp_path):
    (tmp_path / 'results.tex').write_text(to_latex(report), encoding='utf-8')
    command = ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', 'results.tex']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


class Page(HTMLParser):
    """Reads what a page holds, and whether its tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.texts, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == 'img':
            self.sources.append(values['src'])
        self.links += [values[key] for key in ('href', 'src') if key in values]
        if tag not in ('img', 'meta'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_html_is_one_page_with_its_pictures(report, tmp_path):
    picture = tmp_path / 'bars.png'
    Image.new('RGB', (4, 4)).save(picture)
    report.pictures.append(('Main <measures>', picture))
    page = Page(to_html(report))
    assert page.open == []
    assert len(page.sources) == 1
    assert all(link.startswith('data:image/png;base64,') for link in page.links)
    for text in ('R50 MUSCLE', AWKWARD, 'Main <measures>', 'MUSCLE - Scratch', 'A note.'):
        assert text in page.texts
    assert any('cannot be read as JSON' in text for text in page.texts)


def test_a_report_without_comparisons_and_pictures(tmp_path, add_cell):
    add_cell('lung', 'muscle')
    report = read_study(tmp_path)
    assert 'Differences' not in to_markdown(report)
    assert 'longtable}{' not in to_latex(report)
    assert 'Differences' not in Page(to_html(report)).texts
    assert json.loads(to_json(report))['comparisons'] == []


@pytest.mark.parametrize(
    ('value', 'text'),
    [(0.5, '0.5000'), (0.0001, '0.0001'), (0.00009, '<0.0001'), (0, '<0.0001')],
)
def test_p_values(value, text):
    assert p_text(value) == text
    assert p_text(float('nan')) == '–'  # noqa: RUF001
