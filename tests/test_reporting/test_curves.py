# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json

from PIL import Image

from muscle_mm.reporting.cells import collect_cells
from muscle_mm.reporting.curves import draw_continual, draw_finetuning, draw_md_moco


def is_drawn(path):
    """Whether a picture has panels with more than white in them."""
    picture = Image.open(path).convert('L')
    return picture.width > 300 and picture.getextrema()[0] < 100


def test_step_1_and_step_2(tmp_path, add_cell):
    work_dir = add_cell('pneumonia', 'scratch')
    assert draw_md_moco(work_dir, tmp_path / 'one.png')
    assert is_drawn(tmp_path / 'one.png')
    visits = [
        {'visit': 0, 'round': 0, 'task': 'lung', 'scores': {'lung': 90.0, 'tbx': 1.0}},
        {'visit': 1, 'round': 0, 'task': 'tbx', 'scores': {'lung': 80.0, 'tbx': 30.0}},
    ]
    content = {'tasks': ['lung', 'tbx'], 'visits': visits}
    (work_dir / 'continual_scores.json').write_text(json.dumps(content))
    assert draw_continual(work_dir, tmp_path / 'two.png', {'lung': 'Lung'})
    assert is_drawn(tmp_path / 'two.png')


def test_step_3_draws_all_tasks_and_initialisations(tmp_path, add_cell):
    for task in ('pneumonia', 'lung'):
        for initialisation in ('scratch', 'muscle'):
            add_cell(task, initialisation)
    add_cell('lung', 'muscle', seed=1)
    assert draw_finetuning(collect_cells(tmp_path).tested, tmp_path / 'three.png', {'lung': 'Lung'})
    assert is_drawn(tmp_path / 'three.png')


def test_without_a_log_there_is_no_picture(tmp_path):
    assert not draw_md_moco(tmp_path, tmp_path / 'none.png')
    assert not draw_continual(tmp_path, tmp_path / 'none.png', {})
    assert not draw_finetuning([], tmp_path / 'none.png', {})
    assert not (tmp_path / 'none.png').exists()
