# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The nine public sets, folders of a user's own, their union, and transforms."""

from .chest_xray_masks import ChestXrayMasks
from .china_set_cxr import ChinaSetCXR
from .dicom_folder import DicomFolder
from .indiana_cxr import IndianaCXR
from .io import XrayReadError, read_xray
from .montgomery_cxr import MontgomeryCXR
from .multi_task_dataset import MultiTaskDataset
from .multi_xray_dataset import MultiXrayDataset
from .mura import MURA
from .nihcc import NIHCC
from .pneumonia_cxr import PneumoniaCXR
from .rsna_bone_age import RSNABoneAge
from .tbx import TBX
from .transforms import LoadXray, XrayViews
from .xray_box_folder import XrayBoxFolder
from .xray_dataset import XrayDataset
from .xray_folder import XrayFolder
from .xray_mask_folder import XrayMaskFolder

__all__ = [
    'MURA',
    'NIHCC',
    'TBX',
    'ChestXrayMasks',
    'ChinaSetCXR',
    'DicomFolder',
    'IndianaCXR',
    'LoadXray',
    'MontgomeryCXR',
    'MultiTaskDataset',
    'MultiXrayDataset',
    'PneumoniaCXR',
    'RSNABoneAge',
    'XrayBoxFolder',
    'XrayDataset',
    'XrayFolder',
    'XrayMaskFolder',
    'XrayReadError',
    'XrayViews',
    'read_xray',
]
