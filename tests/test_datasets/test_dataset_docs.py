# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The pages about the nine sets: there is one each, and its commands are those of this version."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from muscle_mm.command_line.config_options import load_config
from muscle_mm.datasets.catalogue import PUBLIC_SETS
from muscle_mm.phantoms.layouts import LAYOUTS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / 'docs/datasets'
READMES = ('README.md', 'README_zh-CN.md')


def page_of(name):
    """The page is called like the file of the class."""
    return PAGES / f'{PUBLIC_SETS[name].__module__.rpartition(".")[2]}.md'


def commands(page):
    """Yield the settings and the words of each command of this repository's tools."""
    for block in re.findall(r'```bash\n(.*?)```', page.read_text(encoding='utf-8'), re.DOTALL):
        for line in block.replace('\\\n', ' ').splitlines():
            if 'python tools/' not in line:
                continue
            words = shlex.split(line, comments=True)
            start = words.index('python')
            yield dict(word.split('=', 1) for word in words[:start]), words[start + 1 :]


def parse(tool, words, monkeypatch):
    """Let a tool parse its command line, as it does itself."""
    spec = importlib.util.spec_from_file_location('tool', ROOT / tool)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, 'argv', [tool, *words])
    return (getattr(module, 'parse_args', None) or module.parse_arguments)()


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_every_set_has_a_page(name):
    text = page_of(name).read_text(encoding='utf-8')
    for part in ('After unpacking', 'overlaps and defects', 'first training run', 'Citation'):
        assert part in text
    assert '@' in text.partition('```bibtex')[2]
    for readme in READMES:
        assert f'({page_of(name).name})' in (PAGES / readme).read_text(encoding='utf-8')


@pytest.mark.parametrize('readme', READMES)
def test_table_has_the_numbers_of_the_classes(readme):
    rows = (PAGES / readme).read_text(encoding='utf-8').splitlines()
    for name, cls in PUBLIC_SETS.items():
        (row,) = [row for row in rows if f'[{name}]({page_of(name).name})' in row and '/' in row]
        images, split = row.split('|')[4:6]
        assert f'{cls.METAINFO["published_images"]:,}' in images
        paper = [f'{number:,}' if number else '-' for number in cls.METAINFO['paper_split']]
        assert split.strip() == ' / '.join(paper)


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_commands_are_those_of_the_tools(name, monkeypatch):
    layout = LAYOUTS[name]
    used = []
    for settings, (tool, *words) in commands(page_of(name)):
        used.append(tool)
        args = parse(tool, words, monkeypatch)
        if tool == 'tools/prepare_dataset.py':
            assert args.name == name
            # The phantoms lie there, so that every command can be tried.
            assert args.src == f'downloads/{layout.folder}'
            assert args.out == f'data/{layout.folder}'
            cached = args.cache == 512
        elif tool == 'tools/train.py':
            for variable, value in settings.items():
                assert (variable, value) in (('MUSCLE_SET', layout.folder), ('MUSCLE_CACHE', '512'))
                monkeypatch.setenv(variable, value)
            # What was prepared with a cache is read from it.
            assert ('MUSCLE_CACHE' in settings) == cached
            args.config = str(ROOT / args.config)
            config = load_config(args)
            dataset = str(config.train_dataloader.dataset)
            assert f'data/{layout.folder}' in dataset
            assert ("'cache': 512" in dataset) == cached
        else:
            assert {'data', f'data/{layout.folder}'} & set(words)
    assert used[0] == 'tools/prepare_dataset.py' and used[-1] == 'tools/train.py'
    assert {'tools/check_data.py', 'tools/compute_stats.py'} <= set(used)


@pytest.mark.parametrize('name', [*READMES, 'own_films.md'])
def test_commands_of_the_other_pages(name, monkeypatch):
    found = list(commands(PAGES / name))
    assert found
    for _, (tool, *words) in found:
        parse(tool, words, monkeypatch)


@pytest.mark.parametrize('page', sorted(PAGES.glob('*.md')), ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text(encoding='utf-8')
    for target in re.findall(r'\]\(([^)#]+?)(?:#[^)]*)?\)', text):
        if '://' not in target:
            assert (page.parent / target).is_file(), target
    for path in re.findall(r'\b((?:tools|configs)/[\w./-]+\.py)', text):
        assert (ROOT / path).is_file(), path
