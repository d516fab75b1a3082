# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Phantom radiographs: drawn X-ray films in the published layouts of the nine sets.

They let every step run without any download and are no substitute for real films: a result on
phantoms says that the code works, nothing about medicine.
"""

from muscle_mm.phantoms.contact_sheet import write_contact_sheet
from muscle_mm.phantoms.write import write_phantoms

__all__ = ['write_contact_sheet', 'write_phantoms']
