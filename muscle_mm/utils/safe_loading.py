# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read checkpoints without executing anything that is in them."""

from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from muscle_mm.utils.errors import UserError

#: What mmengine's own checkpoints hold besides tensors: log history, NumPy scalars and arrays.
_HARMLESS_GLOBALS = (
    ('mmengine.logging.history_buffer', 'HistoryBuffer'),
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('numpy.dtypes', 'Float64DType'),
    ('numpy.dtypes', 'Float32DType'),
    ('numpy.dtypes', 'Int64DType'),
    ('numpy.dtypes', 'Int32DType'),
    ('numpy.dtypes', 'UInt32DType'),
    # numpy 2 and numpy 1 keep the same two functions in different places
    ('numpy._core.multiarray', '_reconstruct'),
    ('numpy._core.multiarray', 'scalar'),
)


def _statistic_of(owner: Any, name: str) -> Any:
    """Stand in for ``getattr``, as mmengine's log history uses it: for four statistics."""
    from mmengine.logging import HistoryBuffer

    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise ValueError(f'a checkpoint must not refer to {owner!r}.{name}')


def allow_mmengine_checkpoints() -> None:
    """Let ``torch.load(weights_only=True)`` read what mmengine writes into its checkpoints.

    Only classes that hold plain numbers are named, and ``getattr`` is replaced by a function that
    knows four statistics; nothing else becomes loadable. Without torch this does nothing.

    Raises:
        UserError: If torch is older than 2.4.
    """
    try:
        import torch
    except ImportError:
        return
    if not hasattr(torch.serialization, 'add_safe_globals'):
        raise UserError(f'muscle_mm needs torch >= 2.4, found {torch.__version__}.')
    allowed: list[Any] = []
    for module_name, name in _HARMLESS_GLOBALS:
        try:
            module = import_module(module_name)
        except ImportError:
            module = import_module(module_name.replace('numpy._core', 'numpy.core'))
        allowed.append(getattr(module, name))
    _statistic_of.__module__, _statistic_of.__qualname__ = 'builtins', 'getattr'
    _statistic_of.__name__ = 'getattr'
    torch.serialization.add_safe_globals([*allowed, _statistic_of])


def load_checkpoint_file(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU with ``weights_only=True``.

    Args:
        path (str | Path): A ``.pth`` file of mmengine, torchvision or torch.

    Returns:
        dict[str, Any]: What the file holds.

    Raises:
        UserError: If the file is missing, damaged, no checkpoint, or holds more than data.
    """
    import torch

    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f'checkpoint {path} does not exist. Check the path.')
    # Again: OneDL's mmengine, whenever it loads a file, takes its own names off torch's list.
    allow_mmengine_checkpoints()
    try:
        checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        if _is_cut_off(path) or 'PytorchStreamReader failed' in first_line:
            raise UserError(
                f'checkpoint {path} is cut off or damaged, and cannot be read: {first_line}'
            ) from error
        raise UserError(
            f'checkpoint {path} cannot be read safely (weights_only=True): {first_line}'
        ) from error
    if not isinstance(checkpoint, dict):
        raise UserError(
            f'checkpoint {path} holds a {type(checkpoint).__name__}, not a dictionary of weights.'
        )
    return checkpoint


def _is_cut_off(path: Path) -> bool:
    """Whether the end is missing of what torch has begun to write, a zip file."""
    with open(path, 'rb') as file:
        begins = file.read(2) in (b'', b'PK')
    return begins and not is_zipfile(path)


def state_dict_of(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Unwrap the weights of a checkpoint.

    Args:
        checkpoint (dict[str, Any]): A file's content: weights, or weights under ``state_dict`` or
            ``model``.

    Returns:
        dict[str, Any]: Parameter and buffer names with their tensors.
    """
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), dict):
            return checkpoint[key]
    return checkpoint
