# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from muscle_mm.prediction.trained_model import load_trained_model, without_annotations
from muscle_mm.utils.errors import UserError


def change(checkpoint, **meta):
    """Change what a checkpoint says about itself."""
    content = torch.load(checkpoint, weights_only=True)
    content['meta'].update(meta)
    torch.save(content, checkpoint)


def test_a_checkpoint_is_enough(small_model):
    options = {'test_evaluator.threshold': 0.25}
    _, checkpoint = small_model('classification', ('negative', 'positive'), **options)
    trained = load_trained_model(checkpoint)
    assert (trained.kind, trained.threshold) == ('classification', 0.25)
    assert not trained.model.training
    assert [trained.class_name(label) for label in range(3)] == ['negative', 'positive', 'class 2']
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    for name, value in trained.model.state_dict().items():
        torch.testing.assert_close(value, weights[name])


def test_a_threshold_chosen_on_validation_is_in_the_checkpoint(small_model):
    options = {'test_evaluator.threshold': 'validation'}
    _, checkpoint = small_model('classification', ('a', 'b'), **options)
    assert load_trained_model(checkpoint).threshold == 0.5
    change(checkpoint, validation_thresholds={'binary/threshold': 0.125})
    assert load_trained_model(checkpoint).threshold == 0.125


def test_the_cache_of_the_test_is_kept(small_model):
    _, checkpoint = small_model('classification', ('a', 'b'))
    assert load_trained_model(checkpoint).cache is None
    options = {'test_dataloader.dataset.cache': 32}
    _, checkpoint = small_model('classification', ('a', 'b'), **options)
    assert load_trained_model(checkpoint).cache == 32


def test_a_config_file_may_ask_for_more(small_model):
    options = {'model.head.loss': dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1)}
    config, checkpoint = small_model('classification', ('a', 'b'), **options)
    with pytest.raises(UserError, match=r"asks for 'mmpretrain.LabelSmoothLoss'.*--config .*\.py"):
        load_trained_model(checkpoint)
    assert load_trained_model(checkpoint, config).kind == 'classification'


def test_weights_that_do_not_fit_are_one_message(small_model):
    config, checkpoint = small_model('classification', ('a', 'b'))
    config.write_text(config.read_text().replace('depth=18', 'depth=34'))
    with pytest.raises(UserError, match=r'does not fit the model of .*\.py.*Missing key'):
        load_trained_model(checkpoint, config)


def test_step_1_predicts_nothing(small_model):
    _, checkpoint = small_model('classification', ('a', 'b'))
    change(checkpoint, cfg="model = dict(type='muscle_mm.MDMoCo')")
    with pytest.raises(UserError, match='step 1 predicts nothing'):
        load_trained_model(checkpoint)


def test_annotations_are_not_loaded():
    pipeline = [dict(type='muscle_mm.LoadXray'), dict(type='mmseg.LoadAnnotations')]
    assert without_annotations(pipeline) == pipeline[:1]


@pytest.fixture
def step_2(small_model, tmp_path):
    """A checkpoint of step 2 with two tasks, and those of the tasks alone."""
    from mmengine.config import Config
    from mmengine.registry import MODELS

    kinds = {'lung': 'segmentation', 'pneumonia': 'classification'}
    alone = {task: small_model(kind, ('a', task)) for task, kind in kinds.items()}
    configs = {task: Config.fromfile(config) for task, (config, _) in alone.items()}
    backbone = configs['pneumonia'].model.backbone
    tasks = {task: {**config.model} for task, config in configs.items()}
    geometry = ('out_indices', 'strides', 'dilations')
    for model in tasks.values():
        own = model.pop('backbone')
        model['backbone'] = {key: own[key] for key in geometry if key in own}
    config = Config(
        dict(
            default_scope='mmpretrain',
            model=dict(
                type='muscle_mm.MultiTaskPretrainer',
                backbone=backbone,
                tasks=tasks,
                batch_norm='per_task',
            ),
            val_dataloader=dict(
                dataset=dict(
                    type='muscle_mm.MultiTaskDataset',
                    datasets={task: one.test_dataloader.dataset for task, one in configs.items()},
                )
            ),
        ),
        format_python_code=False,
    )
    model = MODELS.build(config.model)
    for number, task in enumerate(model.tasks.values()):
        task.backbone.bn1.running_mean.fill_(number)
    about = {'tasks': {task: {'classes': ('a', task)} for task in tasks}}
    path = tmp_path / 'step2.pth'
    meta = {'cfg': config.pretty_text, 'dataset_meta': about}
    torch.save({'meta': meta, 'state_dict': model.state_dict()}, path)
    return path, model


@pytest.mark.parametrize(
    ('task', 'kind'), [('lung', 'segmentation'), ('pneumonia', 'classification')]
)
def test_a_task_of_step_2_is_its_own_model(step_2, task, kind):
    path, model = step_2
    trained = load_trained_model(path, task=task)
    assert (trained.kind, trained.classes) == (kind, ('a', task))
    inputs = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = model.eval()(task, inputs, mode='tensor')
        torch.testing.assert_close(trained.model(inputs, mode='tensor'), expected)


@pytest.mark.parametrize('task', [None, 'heart'])
def test_the_tasks_of_step_2_are_named(step_2, task):
    with pytest.raises(UserError, match=r'Choose one: --task (lung\|pneumonia)'):
        load_trained_model(step_2[0], task=task)
