# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Write weights for other programs, byte for byte the same for the same content."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.whole_file import whole_file

ENDINGS = ('.pth', '.safetensors')


def write_weights(path: Path, weights: Mapping[str, Any], meta: Mapping[str, str]) -> None:
    """Write weights and where they come from.

    Args:
        path (Path): The file. With the ending ``.pth`` it holds ``state_dict`` and ``meta``, and
            ``torch.load(weights_only=True)`` reads it; with ``.safetensors`` the weights, and
            ``meta`` as metadata.
        weights (Mapping[str, Tensor]): The weights by name.
        meta (Mapping[str, str]): Where they come from.

    Raises:
        UserError: If the ending is another one.
    """
    if path.suffix not in ENDINGS:
        raise UserError(f'{path}: the ending must be {" or ".join(ENDINGS)}.')
    # Copies: a tensor that is a part of a larger one would be written with all of it.
    tensors = {name: value.detach().clone().contiguous() for name, value in weights.items()}
    content = (_pth if path.suffix == '.pth' else _safetensors)(tensors, dict(meta))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)


def _pth(tensors: dict[str, Any], meta: dict[str, str]) -> bytes:
    import torch

    # Not straight to the file, whose name torch would write into it.
    buffer = io.BytesIO()
    torch.save({'state_dict': tensors, 'meta': meta}, buffer)
    return buffer.getvalue()


def _safetensors(tensors: dict[str, Any], meta: dict[str, str]) -> bytes:
    from safetensors.torch import save

    content = save(tensors, metadata={'format': 'pt', **meta})
    # The library writes the metadata in a new order each time. A file is the length of its header
    # (8 bytes, little endian), the header (JSON, filled up with blanks), and the tensors.
    start = 8 + int.from_bytes(content[:8], 'little')
    header = json.loads(content[8:start])
    header['__metadata__'] = dict(sorted(header['__metadata__'].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text + content[start:]
