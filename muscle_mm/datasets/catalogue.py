# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The data sets that can be prepared, by name."""

from __future__ import annotations

from muscle_mm.datasets.chest_xray_masks import ChestXrayMasks
from muscle_mm.datasets.china_set_cxr import ChinaSetCXR
from muscle_mm.datasets.dicom_folder import DicomFolder
from muscle_mm.datasets.indiana_cxr import IndianaCXR
from muscle_mm.datasets.montgomery_cxr import MontgomeryCXR
from muscle_mm.datasets.mura import MURA
from muscle_mm.datasets.nihcc import NIHCC
from muscle_mm.datasets.pneumonia_cxr import PneumoniaCXR
from muscle_mm.datasets.rsna_bone_age import RSNABoneAge
from muscle_mm.datasets.tbx import TBX
from muscle_mm.datasets.xray_box_folder import XrayBoxFolder
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.datasets.xray_folder import XrayFolder
from muscle_mm.datasets.xray_mask_folder import XrayMaskFolder
from muscle_mm.utils.errors import UserError

#: The nine public sets in the order of the paper's table.
PUBLIC_SETS: dict[str, type[XrayDataset]] = {
    cls.__name__: cls
    for cls in (
        NIHCC,
        ChinaSetCXR,
        MontgomeryCXR,
        IndianaCXR,
        RSNABoneAge,
        PneumoniaCXR,
        MURA,
        ChestXrayMasks,
        TBX,
    )
}

#: Layouts for a user's own images.
FOLDER_SETS: dict[str, type[XrayDataset]] = {
    cls.__name__: cls for cls in (XrayFolder, DicomFolder, XrayMaskFolder, XrayBoxFolder)
}


def find_set(name: str) -> type[XrayDataset]:
    """Find a data set by its name.

    Args:
        name (str): Name of the class, for example 'PneumoniaCXR'.

    Returns:
        type[XrayDataset]: The class.

    Raises:
        UserError: If there is none; the message lists the names.
    """
    known = {**PUBLIC_SETS, **FOLDER_SETS}
    if name not in known:
        raise UserError(f'data set {name!r} is unknown. Choose from: {", ".join(known)}.')
    return known[name]
