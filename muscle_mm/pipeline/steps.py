# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The published config of each step, and the toolbox whose tools run it."""

from importlib.util import find_spec
from pathlib import Path

import muscle_mm
from muscle_mm.utils.errors import UserError

REPOSITORY = Path(muscle_mm.__file__).resolve().parents[1]

#: The steps before fine-tuning; work directories have these names.
PRETRAINING = ('md_moco', 'muscle_minus_minus', 'muscle')
TASKS = ('pneumonia', 'mura', 'lung', 'tbx')
BACKBONES = (18, 50)
#: initialisation -> what stands for it in the names of the fine-tuning configs
INITIALISATIONS = {
    'scratch': '',
    'imagenet': '_in1k-pre',
    'md_moco': '_md-moco-pre',
    'muscle_minus_minus': '_muscle-minus-minus-pre',
    'muscle': '_muscle-pre',
}
#: step or task -> toolbox
TOOLBOXES = {
    **dict.fromkeys(PRETRAINING, 'mmpretrain'),
    'pneumonia': 'mmpretrain',
    'mura': 'mmpretrain',
    'lung': 'mmseg',
    'tbx': 'mmdet',
}
_CONFIGS = {
    'md_moco': 'md_moco/md-moco_resnet{depth}_1xb128-200e_{films}-224px.py',
    'muscle_minus_minus': 'continual/muscle-minus-minus_resnet{depth}_1round_xray4.py',
    'muscle': 'continual/muscle_resnet{depth}_3rounds_xray4.py',
    'pneumonia': 'finetune/pneumonia/fc_resnet{depth}{start}_1xb32-50e_pneumonia-224px.py',
    'mura': 'finetune/mura/fc_resnet{depth}{start}_1xb32-50e_mura-224px.py',
    'lung': 'finetune/lung/deeplabv3_resnet{depth}{start}_1xb8-50e_lung-224px.py',
    'tbx': 'finetune/tbx/faster-rcnn_resnet{depth}-fpn{start}_1xb8-100e_tbx-512px.py',
}


def config_path(
    step: str, depth: int, initialisation: str = 'scratch', nine_sets: bool = True
) -> Path:
    """Name the published config of a step.

    Args:
        step (str): A step before fine-tuning, or a task.
        depth (int): Of the ResNet.
        initialisation (str): What a task is fine-tuned from. Defaults to 'scratch'.
        nine_sets (bool): Whether step 1 has the nine public sets, or the folders of the example
            config. Defaults to True.

    Returns:
        Path: The config.
    """
    name = _CONFIGS[step].format(
        depth=depth,
        start=INITIALISATIONS[initialisation],
        films='xray9' if nine_sets else 'folders',
    )
    return REPOSITORY / 'configs' / name


def stock_tool(toolbox: str, name: str) -> Path:
    """Find a toolbox's own tool inside the installed package.

    Args:
        toolbox (str): Import name, for example ``'mmseg'``.
        name (str): File name, for example ``'train.py'``.

    Returns:
        Path: The tool.

    Raises:
        UserError: If the toolbox is not installed, or came without its tools.
    """
    spec = find_spec(toolbox)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f'the package {toolbox} is not installed. `make install` installs it.')
    tool = Path(spec.submodule_search_locations[0]) / '.mim' / 'tools' / name
    if not tool.is_file():
        raise UserError(
            f'{tool} does not exist: this installation of {toolbox} came without its tools. '
            'Install it from PyPI (`make install`).'
        )
    return tool
