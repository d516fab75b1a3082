# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Go through a config."""

from collections.abc import Iterator, Mapping
from typing import Any


def config_parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every dictionary in a config, at any depth, itself included.

    Args:
        config (Any): A config or a part of one; what is no dictionary, list or tuple holds none.

    Yields:
        Mapping[str, Any]: A dictionary, before those within it.
    """
    if isinstance(config, Mapping):
        yield config
        for value in config.values():
            yield from config_parts(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from config_parts(value)
