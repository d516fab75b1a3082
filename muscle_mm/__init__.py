# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""muscle_mm: MUSCLE (MICCAI 2022) pre-training for X-ray images on the OpenMMLab toolboxes.

Put ``custom_imports = dict(imports=['muscle_mm'], allow_failed_imports=False)`` into a config and
use the parts by their scope, for example ``type='muscle_mm.MDMoCo'``. The import needs mmengine
alone; the toolboxes are imported when one of their parts is built.
"""

from muscle_mm import registry
from muscle_mm.utils.errors import show_user_errors_alone
from muscle_mm.utils.safe_loading import allow_mmengine_checkpoints
from muscle_mm.version import __version__

# torch >= 2.6 loads with ``weights_only=True``, which refuses the training log inside mmengine's
# own checkpoints. Naming its harmless classes lets ``--resume`` work safely on every line of the
# stack.
allow_mmengine_checkpoints()
show_user_errors_alone()

__all__ = ['__version__', 'registry']
