# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from mmengine.config import Config

from muscle_mm.prediction.stored_config import check_parts, parse_plain_config, stored_config
from muscle_mm.prediction.trained_model import without_annotations
from muscle_mm.utils.errors import UserError

CONFIGS = Path(__file__).parents[2] / 'configs'
# Those of ResNet-50 differ in numbers alone.
PUBLISHED = sorted(
    [*CONFIGS.glob('finetune/*/*resnet18*.py'), *CONFIGS.glob('continual/muscle_resnet18*.py')]
)


@pytest.mark.parametrize('path', PUBLISHED, ids=lambda path: path.stem)
def test_published_configs_come_back_as_they_were_written(path):
    config = Config.fromfile(path)
    stored = stored_config({'meta': {'cfg': config.pretty_text}}, Path('nowhere/x.pth'))
    assert stored.to_dict() == config.to_dict()


@pytest.mark.parametrize('path', PUBLISHED, ids=lambda path: path.stem)
def test_published_configs_need_no_config_file(path):
    config = Config.fromfile(path)
    model = {key: value for key, value in config.model.items() if key not in ('type', 'memory')}
    check_parts(model, Path('nowhere/x.pth'))
    dataset = config.get('test_dataloader', config.val_dataloader).dataset
    for part in dataset.get('datasets', {'': dataset}).values():
        check_parts(without_annotations(part.pipeline), Path('nowhere/x.pth'))


def test_literals_of_every_kind():
    text = "a = dict(b=[-1, 2.5, None, True], c=('x', ), d={'e f': dict(g=1e-3)})\nh = 'i'\n"
    assert parse_plain_config(text) == {
        'a': {'b': [-1, 2.5, None, True], 'c': ('x',), 'd': {'e f': {'g': 1e-3}}},
        'h': 'i',
    }


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        "a = __import__('os').system('touch executed')",
        "a = dict(b=open('executed', 'w'))",
        "a = dict([('b', 1)])",
        'a = dict(**b)',
        "a = f'{b}'",
        'a = b = 1\nc: int = 2',
        'a.b = 1',
        'a = [b for b in (1, )]',
        'a = torch.float32',
        'a = (',
        'a = ' + 5000 * '-' + '1',
    ],
)
def test_nothing_but_literals_is_read_and_nothing_executed(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r'x\.pth is not plain data'):
        stored_config({'meta': {'cfg': text}}, Path('nowhere/x.pth'))
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize(
    'content', [{}, {'meta': None}, {'meta': {'cfg': ' '}}, {'meta': {'cfg': 3}}]
)
def test_a_checkpoint_without_a_config_names_the_one_beside_it(content, tmp_path):
    (tmp_path / 'fc.py').write_text('')
    with pytest.raises(UserError, match=rf'holds no config.*--config {tmp_path}/fc\.py'):
        stored_config(content, tmp_path / 'x.pth')


@pytest.mark.parametrize(
    'part',
    [
        'os.system',
        'subprocess.run',
        'mmengine.load',
        'mmdet.KnowledgeDistillationSingleStageDetector',
    ],
)
def test_a_checkpoint_alone_cannot_ask_for_any_part(part):
    config = {'type': 'mmpretrain.ImageClassifier', 'neck': [{'norm': {'type': part}}]}
    with pytest.raises(UserError, match=f"asks for '{part}'.*--config FILE"):
        check_parts(config, Path('nowhere/x.pth'))


def test_an_evaluated_name_is_refused():
    with pytest.raises(UserError, match='asks for'):
        check_parts({'nms': {'type': "__import__('os').system('true')"}}, Path('nowhere/x.pth'))


def test_weights_of_classes_are_not_read_from_a_file(tmp_path):
    # mmseg's loss would unpickle it.
    loss = {'type': 'mmseg.CrossEntropyLoss', 'class_weight': str(tmp_path / 'weights.pkl')}
    with pytest.raises(UserError, match=r"asks for '.*weights\.pkl'.*--config FILE"):
        check_parts({'head': [{'loss_decode': loss}]}, Path('nowhere/x.pth'))
    check_parts({'head': [{'loss_decode': {**loss, 'class_weight': [1.0, 2.0]}}]}, Path('x.pth'))
