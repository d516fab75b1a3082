# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The error that is meant for users."""


class UserError(RuntimeError):
    """Something that the user can put right: a path, a config key, a missing package.

    The message says what is wrong, where, and what to do. It is raised instead of a built-in error
    so that ``tools/train.py`` can show the message alone, without a stack of unrelated frames.
    """
