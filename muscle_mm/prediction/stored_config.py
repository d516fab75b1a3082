# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read the config that mmengine writes into a checkpoint, without executing any of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import Config

from muscle_mm.utils.config_parts import config_parts
from muscle_mm.utils.errors import UserError

#: What a checkpoint alone may ask to build: the parts of the configs under ``configs/``. The
#: toolboxes import a type by its path, and mmcv evaluates the name of an NMS, so that a type of
#: any other name could run anything.
SAFE_PARTS = frozenset(
    {
        'BN',
        'RoIAlign',
        'SyncBN',
        'nms',
        'mmdet.AnchorGenerator',
        'mmdet.CrossEntropyLoss',
        'mmdet.DeltaXYWHBBoxCoder',
        'mmdet.DetDataPreprocessor',
        'mmdet.FPN',
        'mmdet.FasterRCNN',
        'mmdet.L1Loss',
        'mmdet.MaxIoUAssigner',
        'mmdet.PackDetInputs',
        'mmdet.RPNHead',
        'mmdet.RandomSampler',
        'mmdet.Resize',
        'mmdet.Shared2FCBBoxHead',
        'mmdet.SingleRoIExtractor',
        'mmdet.StandardRoIHead',
        'mmpretrain.ClsDataPreprocessor',
        'mmpretrain.CrossEntropyLoss',
        'mmpretrain.GlobalAveragePooling',
        'mmpretrain.ImageClassifier',
        'mmpretrain.LinearClsHead',
        'mmpretrain.PackInputs',
        'mmpretrain.ResNet',
        'mmpretrain.Resize',
        'mmseg.ASPPHead',
        'mmseg.CrossEntropyLoss',
        'mmseg.EncoderDecoder',
        'mmseg.FCNHead',
        'mmseg.PackSegInputs',
        'mmseg.Resize',
        'mmseg.SegDataPreProcessor',
        'muscle_mm.BackboneInit',
        'muscle_mm.GreyDataPreprocessor',
        'muscle_mm.LoadXray',
    }
)


def stored_config(checkpoint: Mapping[str, Any], path: Path) -> Config:
    """Read the config in a checkpoint as plain data.

    Args:
        checkpoint (Mapping[str, Any]): The file's content. mmengine keeps the config's text under
            ``meta.cfg``.
        path (Path): The file, for messages.

    Returns:
        Config: The config.

    Raises:
        UserError: If there is none, or it holds more than plain data.
    """
    text = (checkpoint.get('meta') or {}).get('cfg')
    if not isinstance(text, str) or not text.strip():
        raise UserError(f'checkpoint {path} holds no config. {_give_config(path)}')
    try:
        return Config(parse_plain_config(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(
            f'the config in checkpoint {path} is not plain data ({error}), and nothing in a '
            f'checkpoint is executed. {_give_config(path)}'
        ) from error


def parse_plain_config(text: str) -> dict[str, Any]:
    """Read a config that mmengine has written out: assignments of literals and ``dict(...)``.

    Args:
        text (str): ``Config.pretty_text``.

    Returns:
        dict[str, Any]: The values by name.

    Raises:
        SyntaxError: If the text is no Python.
        ValueError: If there is anything but such assignments.
    """
    values: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f'line {statement.lineno} is no assignment to a name')
        value = _DictCalls().visit(statement.value)
        try:
            values[statement.targets[0].id] = ast.literal_eval(value)
        except ValueError as error:
            raise ValueError(f'the value at line {statement.lineno} is no literal') from error
    return values


def check_parts(config: Any, path: Path) -> None:
    """Refuse parts of a model that a checkpoint alone may not ask for.

    Args:
        config (Any): What is about to be built: nested dictionaries and lists.
        path (Path): The checkpoint, for the message.

    Raises:
        UserError: If a ``type`` is not among ``SAFE_PARTS``, or weights of classes are to be read
            from a file.
    """
    for part in config_parts(config):
        asked = part.get('type')
        if 'type' in part and (not isinstance(asked, str) or asked not in SAFE_PARTS):
            _refuse(asked, path)
        # mmseg's losses read them from a file or an address, pickles included.
        if isinstance(part.get('class_weight'), str):
            _refuse(part['class_weight'], path)


def _refuse(asked: Any, path: Path) -> NoReturn:
    raise UserError(
        f'the config in checkpoint {path} asks for {asked!r}, which the configs of this package do '
        f'not use. A checkpoint alone is not trusted with it. {_give_config(path)}'
    )


def _give_config(path: Path) -> str:
    """Say what to do, and where mmengine has left the config."""
    beside = sorted(path.parent.glob('*.py'))
    found = f' {beside[0]}' if len(beside) == 1 else ' FILE'
    return f'Give the config that it was trained with, if you trust it: --config{found}'


class _DictCalls(ast.NodeTransformer):
    """Turn ``dict(a=1)`` into ``{'a': 1}``, which is a literal."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Turn one call; any other call than of ``dict`` stays, and is no literal."""
        self.generic_visit(node)
        names = [keyword.arg for keyword in node.keywords]
        if not isinstance(node.func, ast.Name) or node.func.id != 'dict' or node.args:
            return node
        if None in names:  # dict(**other)
            return node
        keys: list[ast.expr | None] = [ast.Constant(name) for name in names]
        return ast.Dict(keys=keys, values=[keyword.value for keyword in node.keywords])
