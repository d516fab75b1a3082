# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How tasks, backbones and initialisations are written for people."""

#: folder name -> row label, in the order of the published table
INITIALISATION_LABELS = {
    'scratch': 'Scratch',
    'imagenet': 'ImageNet',
    'md_moco': 'MD-MoCo',
    'muscle_minus_minus': 'MUSCLE--',
    'muscle': 'MUSCLE',
}
#: folder name -> label, in the order of the published tables
BACKBONE_LABELS = {'resnet18': 'R18', 'resnet50': 'R50'}
#: task -> title, in the order of the published table
TASK_TITLES = {'pneumonia': 'Pneumonia', 'mura': 'MURA', 'lung': 'Lung', 'tbx': 'TBX'}
#: task -> the one measure that stands for it (higher is better) and its label with unit
MAIN_MEASURES = {
    'pneumonia': ('binary/auc', 'AUC (%)'),
    'mura': ('binary/auc', 'AUC (%)'),
    'lung': ('segmentation/dice', 'Dice (%)'),
    'tbx': ('detection/map', 'mAP (%)'),
}


def row_label(backbone: str, initialisation: str) -> str:
    """Name a row of the tables.

    Args:
        backbone (str): Label of the backbone.
        initialisation (str): The initialisation's folder name.

    Returns:
        str: For example ``'R18 MUSCLE'``.
    """
    return f'{backbone} {INITIALISATION_LABELS.get(initialisation, initialisation)}'
