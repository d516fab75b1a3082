# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The published layouts of the nine sets, one a file."""

from muscle_mm.phantoms.layouts.chest_xray_masks import ChestXrayMasksLayout
from muscle_mm.phantoms.layouts.china_set_cxr import ChinaSetCXRLayout
from muscle_mm.phantoms.layouts.indiana_cxr import IndianaCXRLayout
from muscle_mm.phantoms.layouts.layout import FilmPlan, Layout
from muscle_mm.phantoms.layouts.montgomery_cxr import MontgomeryCXRLayout
from muscle_mm.phantoms.layouts.mura import MURALayout
from muscle_mm.phantoms.layouts.nihcc import NIHCCLayout
from muscle_mm.phantoms.layouts.pneumonia_cxr import PneumoniaCXRLayout
from muscle_mm.phantoms.layouts.rsna_bone_age import RSNABoneAgeLayout
from muscle_mm.phantoms.layouts.tbx import TBXLayout

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        NIHCCLayout(),
        ChinaSetCXRLayout(),
        MontgomeryCXRLayout(),
        IndianaCXRLayout(),
        RSNABoneAgeLayout(),
        PneumoniaCXRLayout(),
        MURALayout(),
        ChestXrayMasksLayout(),
        TBXLayout(),
    )
}
"""The nine layouts by the name of their set."""

__all__ = ['LAYOUTS', 'FilmPlan', 'Layout']
