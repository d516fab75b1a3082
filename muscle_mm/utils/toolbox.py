# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Import a toolbox only when one of its parts is built."""

from importlib import import_module
from types import ModuleType
from typing import Any

from muscle_mm.utils.config_parts import config_parts
from muscle_mm.utils.errors import UserError

#: import name -> (package of the OneDL line, package of the OpenMMLab line)
TOOLBOX_PACKAGES = {
    'mmcv': ('onedl-mmcv', 'mmcv'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
}

#: Where mmdet's operators are used, and boxes computed.
_DETECTORS = ('mmdet.models.detectors.', 'mmdet.models.dense_heads.', 'mmdet.models.roi_heads.')


def require_toolbox(name: str, needed_by: str) -> ModuleType:
    """Import a toolbox and register its parts.

    Args:
        name (str): Import name: ``'mmpretrain'``, ``'mmseg'``, ``'mmdet'`` or ``'mmcv'``.
        needed_by (str): What needs it, for the message, for example ``"task 'lung'"``.

    Returns:
        ModuleType: The imported toolbox.

    Raises:
        UserError: If the toolbox cannot be imported; the message names the package to install.
    """
    try:
        toolbox = import_module(name)
        if name != 'mmcv':
            # Registers every part without touching the current default scope.
            import_module(f'{name}.utils').register_all_modules(init_default_scope=False)
    except ImportError as error:
        onedl, openmmlab = TOOLBOX_PACKAGES.get(name, (name, name))
        raise UserError(
            f'{needed_by} needs the package {name}, which cannot be imported ({error}). Install '
            f'it: `pip install {onedl}` (OneDL line) or `pip install {openmmlab}` (OpenMMLab line).'
        ) from error
    return toolbox


def toolbox_of(part_type: object, needed_by: str) -> str:
    """Name the scope of a type string, and import the toolbox that it stands for.

    Args:
        part_type (object): The ``type`` of a config, for example ``'mmdet.FasterRCNN'``.
        needed_by (str): What needs it, for the message.

    Returns:
        str: The scope, for example ``'mmdet'``.

    Raises:
        UserError: If the type has no scope, or the toolbox cannot be imported.
    """
    if not isinstance(part_type, str) or '.' not in part_type:
        raise UserError(
            f'{needed_by}: type={part_type!r} does not say which toolbox it is from. Write it with '
            "its scope, for example type='mmdet.FasterRCNN'."
        )
    scope = part_type.split('.', 1)[0]
    if scope in TOOLBOX_PACKAGES:
        require_toolbox(scope, needed_by)
    return scope


def require_toolboxes_in(config: Any, needed_by: str) -> None:
    """Import every toolbox that the types of a config name, at any depth.

    Args:
        config (dict | list): A config or a part of one.
        needed_by (str): What needs them, for the message.

    Raises:
        UserError: If one cannot be imported.
    """
    scopes = {str(part.get('type')).partition('.')[0] for part in config_parts(config)}
    for scope in sorted(scopes & set(TOOLBOX_PACKAGES)):
        require_toolbox(scope, needed_by)


def detector_in(model: Any) -> str | None:
    """Name a detector, or a detector's head, in a model; a backbone of mmdet alone is none.

    Args:
        model (nn.Module): The model.

    Returns:
        str | None: Its class, or None.
    """
    for module in model.modules():
        kind = type(module)
        if kind.__module__.startswith(_DETECTORS):
            return kind.__name__
    return None
