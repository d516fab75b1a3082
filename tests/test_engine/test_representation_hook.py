# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.runner import Runner

from muscle_mm.datasets.manifest import write_manifest
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

pytest.importorskip('mmpretrain')

SCORES = {
    'knn_accuracy',
    'knn_auc',
    'linear_accuracy',
    'linear_auc',
    'feature_std',
    'effective_rank',
}


@DATASETS.register_module()
class NoisyViews(BaseDataset):
    """Two views of a film, drawn anew from torch's generator each time."""

    def __init__(self):
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict() for _ in range(8)]

    def prepare_data(self, idx):
        views = [torch.randint(0, 256, (1, 32, 32)).byte() for _ in range(2)]
        return dict(inputs=views, dataset='random')


@pytest.fixture
def labelled(tmp_path):
    """Config of a set whose class 1 is brighter: 12 films to train on, 7 to validate."""
    generator = np.random.default_rng(0)
    records = []
    for split, count in (('train', 12), ('val', 7)):
        for index in range(count):
            film = generator.integers(0, 100, (36, 40)) + 100 * (index % 2)
            path = tmp_path / f'{split}{index}.png'
            cv2.imwrite(str(path), film.astype(np.uint8))
            records.append(
                dict(
                    img_path=path.name,
                    patient_id=f'{split}{index}',
                    split=split,
                    gt_label=index % 2,
                )
            )
    metainfo = dict(
        dataset='Toy', task='classification', classes=['dark', 'bright'], source_root='.'
    )
    write_manifest(tmp_path / 'manifest.json', metainfo, records)
    return dict(type='muscle_mm.XrayDataset', data_root=str(tmp_path))


def hook_config(labelled, **changes):
    return (
        dict(
            type='muscle_mm.RepresentationHook',
            train=dict(labelled, split='train', pipeline=[dict(type='never.Used')]),
            val=dict(labelled, split='val'),
            mean=128,
            std=60,
            size=32,
            interval=1,
            num_workers=0,
            pictured_films=1,
        )
        | changes
    )


def md_moco_runner(work_dir, *hooks, sampler='DefaultSampler', **changes):
    config = dict(
        model=dict(
            type='muscle_mm.MDMoCo',
            backbone=dict(
                type='mmpretrain.ResNet',
                depth=18,
                base_channels=4,
                stem_channels=4,
                out_indices=(3,),
                frozen_stages=1,
            ),
            neck=dict(type='mmpretrain.MoCoV2Neck', in_channels=32, hid_channels=8, out_channels=4),
            queue_len=10,
            feature_dim=4,
            data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=128, std=50),
        ),
        train_dataloader=dict(
            batch_size=4,
            num_workers=0,
            sampler=dict(type=sampler, shuffle=True),
            dataset=dict(type='muscle_mm.NoisyViews'),
        ),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        train_cfg=dict(by_epoch=True, max_epochs=3),
        custom_hooks=[dict(type='muscle_mm.MomentumUpdateHook'), *hooks],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        randomness=dict(seed=0),
        default_scope='mmpretrain',
        experiment_name=str(work_dir),
        log_level='ERROR',
        work_dir=str(work_dir),
    )
    return Runner(**(config | changes))


def weights_of(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


@pytest.mark.parametrize(
    ('train_cfg', 'expected'),
    [
        (dict(by_epoch=True, max_epochs=3), [(0, 0), (2, 1), (4, 2), (6, 3)]),
        (dict(by_epoch=False, max_iters=3), [(0, 0), (2, None), (3, None)]),
    ],
)
def test_training_is_the_same_to_the_last_bit(tmp_path, labelled, train_cfg, expected):
    by_epoch = train_cfg['by_epoch']
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    without = md_moco_runner(tmp_path / 'without', sampler=sampler, train_cfg=train_cfg)
    without.train()
    hook = hook_config(labelled, by_epoch=by_epoch, interval=1 if by_epoch else 2)
    watched = md_moco_runner(tmp_path / 'watched', hook, sampler=sampler, train_cfg=train_cfg)
    watched.train()
    plain = weights_of(without)
    for name, value in weights_of(watched).items():
        assert torch.equal(value, plain[name]), name
    history = json.loads((tmp_path / 'watched/representation.json').read_text())
    assert [(row['iteration'], row.get('epoch')) for row in history] == expected
    assert all(row.keys() >= SCORES for row in history)


def test_scores_reach_the_visualizer_the_message_hub_and_the_picture(tmp_path, labelled):
    runner = md_moco_runner(tmp_path / 'run', hook_config(labelled, interval=2, pictured_films=3))
    runner.train()
    history = json.loads((tmp_path / 'run/representation.json').read_text())
    assert [row['epoch'] for row in history] == [0, 2, 3]
    assert history[-1]['knn_accuracy'] == 100  # brightness is easy
    lines = next(tmp_path.glob('run/*/vis_data/scalars.json')).read_text().splitlines()
    logged = [row for row in map(json.loads, lines) if 'representation/knn_auc' in row]
    assert [row['step'] for row in logged] == [0, 4, 6]
    assert {key for key in logged[0] if key != 'step'} == {
        f'representation/{key}' for key in SCORES
    }
    current = runner.message_hub.get_scalar('representation/linear_auc').current()
    assert current == history[-1]['linear_auc']
    picture = cv2.imread(str(tmp_path / 'run/vis/neighbours_000006.png'))
    assert picture.shape[0] > 500 and picture.std() > 10
    assert next(tmp_path.glob('run/*/vis_data/vis_image/representation_neighbours_6.png')).is_file()


@pytest.mark.skipif(find_spec('tensorboard') is None, reason='tensorboard is not installed')
def test_tensorboard_by_config(tmp_path, labelled):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    backends = [dict(type='TensorboardVisBackend')]
    visualizer = dict(type='Visualizer', vis_backends=backends, name=str(tmp_path))
    md_moco_runner(tmp_path / 'run', hook_config(labelled), visualizer=visualizer).train()
    events = EventAccumulator(str(next(tmp_path.glob('run/*/vis_data'))))
    events.Reload()
    steps = [event.step for event in events.Scalars('representation/knn_auc')]
    assert steps == [0, 2, 4, 6]
    assert 'representation_neighbours' in events.Tags()['images']


@pytest.mark.skipif(find_spec('wandb') is None, reason='wandb is not installed')
def test_weights_and_biases_by_config(tmp_path, labelled, monkeypatch):
    import wandb

    class ReadSummary(Hook):
        """Before mmengine's logger ends the run, and wandb forgets its summary."""

        priority = 'HIGH'

        def after_train(self, runner):
            logged.update(dict(wandb.run.summary))
            folder.append(wandb.run.dir)

    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    logged, folder = {}, []
    backends = [dict(type='WandbVisBackend', init_kwargs=dict(project='muscle_mm'))]
    visualizer = dict(type='Visualizer', vis_backends=backends, name=str(tmp_path))
    runner = md_moco_runner(tmp_path / 'run', hook_config(labelled), visualizer=visualizer)
    runner.register_hook(ReadSummary())
    runner.train()
    last = json.loads((tmp_path / 'run/representation.json').read_text())[-1]
    for name in SCORES:
        assert logged[f'representation/{name}'] == pytest.approx(last[name])
    pictures = Path(folder[0]).glob('media/images/representation_neighbours_*.png')
    assert len(list(pictures)) == 4


def test_a_resumed_run_keeps_its_history(tmp_path, labelled):
    hook = hook_config(labelled, pictured_films=0)
    whole = md_moco_runner(tmp_path / 'whole', hook)
    whole.train()
    md_moco_runner(
        tmp_path / 'resumed', hook, load_from=str(tmp_path / 'whole/epoch_2.pth'), resume=True
    ).train()
    files = [tmp_path / name / 'representation.json' for name in ('whole', 'resumed')]
    assert [row['epoch'] for row in json.loads(files[1].read_text())] == [0, 1, 2, 3]
    assert files[0].read_text().splitlines()[:26] == files[1].read_text().splitlines()[:26]
    assert not (tmp_path / 'resumed/vis').exists()


def test_the_multi_task_model_is_watched_too(run_continual, labelled):
    runner = run_continual(
        custom_hooks=[
            dict(type='muscle_mm.ContinualMultiTaskHook', score_keys={}),
            hook_config(labelled, by_epoch=False, interval=10, pictured_films=0),
        ]
    )
    history = json.loads((Path(runner.work_dir) / 'representation.json').read_text())
    assert [row['iteration'] for row in history] == [0, 10, 18]
    assert history[-1]['effective_rank'] >= 1


def test_a_collapse_is_told_or_ends_the_run(tmp_path, labelled):
    def collapsed(work_dir, **changes):
        hook = hook_config(labelled, pictured_films=0, **changes)
        runner = md_moco_runner(work_dir, hook, train_cfg=dict(by_epoch=True, max_epochs=1))
        # Whatever the film, its features are zero.
        runner.model.backbone.init_cfg = dict(type='Constant', layer='Conv2d', val=0)
        return runner

    runner = collapsed(tmp_path / 'told')
    warnings = []
    runner.logger.warning = warnings.append
    runner.train()
    told = [text for text in warnings if 'collapsed' in text]
    assert [text.split(':')[0].rsplit(' ', 1)[1] for text in told] == ['0', '2']
    assert 'its feature_std is 0.0000, below 0.02' in told[0]
    with pytest.raises(UserError, match='the representation has collapsed at iteration 0'):
        collapsed(tmp_path / 'ended', stop_on_collapse=True).train()


def test_a_film_that_becomes_unreadable_costs_a_score_not_the_training(tmp_path, labelled):
    class Damage(Hook):
        """Break a film after the first epoch, and mend it after the second."""

        def before_train_epoch(self, runner):
            film = tmp_path / 'val0.png'
            if runner.epoch == 1:
                self.content = film.read_bytes()
                film.write_bytes(b'')
            elif runner.epoch == 2:
                film.write_bytes(self.content)

    runner = md_moco_runner(tmp_path / 'run', hook_config(labelled), Damage())
    warnings = []
    runner.logger.warning = warnings.append
    runner.train()
    (told,) = [text for text in warnings if 'not scored' in text]
    assert 'val0.png' in told and 'at iteration 4; the training goes on' in told
    history = json.loads((tmp_path / 'run' / 'representation.json').read_text())
    assert [scores['iteration'] for scores in history] == [0, 2, 6]


def test_a_film_that_cannot_be_read_at_the_start_is_an_error(tmp_path, labelled):
    (tmp_path / 'val0.png').write_bytes(b'')
    with pytest.raises(UserError, match=r'val0\.png'):
        md_moco_runner(tmp_path / 'run', hook_config(labelled)).train()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(indices=[0, 2]), r'RepresentationHook\.val: all 2 films have the same label'),
        (dict(with_labels=False), r'RepresentationHook\.val: 7 of 7 films have no class label'),
    ],
)
def test_a_set_that_cannot_score_is_named_before_training(tmp_path, labelled, changes, message):
    hook = hook_config(labelled)
    hook['val'] |= changes
    with pytest.raises(UserError, match=message):
        md_moco_runner(tmp_path / 'run', hook).train()


def test_an_interval_of_zero_is_refused(labelled):
    from muscle_mm.engine import RepresentationHook

    config = hook_config(labelled, interval=0)
    config.pop('type')
    with pytest.raises(ValueError, match='interval=0'):
        RepresentationHook(**config)
