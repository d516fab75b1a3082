# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The results that the authors of MUSCLE published, in percent.

Source: Liao et al., MUSCLE: Multi-task Self-supervised Continual Learning to Pre-train Deep Models
for X-ray Images of Multiple Body Parts, MICCAI 2022, doi 10.1007/978-3-031-16452-1_15, the tables
of its results.
"""

SOURCE = 'Liao et al., MICCAI 2022, doi 10.1007/978-3-031-16452-1_15'

_BINARY = (
    'binary/accuracy',
    'binary/sensitivity',
    'binary/specificity',
    'binary/auc',
    'binary/auc_ci_low',
    'binary/auc_ci_high',
)
_KEYS = {
    'pneumonia': _BINARY,
    'mura': _BINARY,
    'lung': ('segmentation/dice', 'segmentation/miou'),
    'tbx': ('detection/map', 'detection/ap_active', 'detection/ap_latent'),
}
# Backbone and initialisation: the values of pneumonia, mura, lung and tbx, in the order of _KEYS.
_VALUES = {
    ('R18', 'scratch'): (
        (91.11, 93.91, 83.54, 96.58, 95.09, 97.81),
        (81.00, 68.17, 89.91, 86.62, 85.73, 87.55),
        (95.24, 94.00),
        (30.71, 56.71, 4.72),
    ),
    ('R18', 'imagenet'): (
        (90.09, 93.68, 80.38, 96.05, 94.24, 97.33),
        (81.88, 73.49, 87.70, 88.11, 87.18, 89.03),
        (95.26, 94.10),
        (29.46, 56.27, 2.66),
    ),
    ('R18', 'md_moco'): (
        (96.58, 97.19, 94.94, 98.48, 97.14, 99.30),
        (82.48, 72.27, 89.57, 88.28, 87.28, 89.26),
        (95.31, 94.14),
        (36.00, 67.17, 4.84),
    ),
    ('R18', 'muscle_minus_minus'): (
        (96.75, 97.66, 94.30, 99.51, 99.16, 99.77),
        (82.45, 74.16, 88.21, 88.41, 87.54, 89.26),
        (95.14, 93.90),
        (34.70, 63.43, 5.97),
    ),
    ('R18', 'muscle'): (
        (97.26, 97.42, 96.84, 99.61, 99.32, 99.83),
        (82.62, 74.28, 88.42, 88.50, 87.46, 89.57),
        (95.37, 94.22),
        (36.71, 64.84, 8.59),
    ),
    ('R50', 'scratch'): (
        (91.45, 92.51, 88.61, 96.55, 95.08, 97.82),
        (80.50, 65.42, 90.97, 86.22, 85.22, 87.35),
        (93.52, 92.03),
        (23.93, 44.85, 3.01),
    ),
    ('R50', 'imagenet'): (
        (95.38, 95.78, 94.30, 98.72, 98.03, 99.33),
        (81.73, 68.36, 91.01, 87.87, 86.85, 88.85),
        (93.77, 92.43),
        (35.61, 58.81, 12.42),
    ),
    ('R50', 'md_moco'): (
        (97.09, 98.83, 92.41, 99.53, 99.23, 99.75),
        (82.35, 73.12, 88.76, 87.89, 87.06, 88.88),
        (94.33, 93.04),
        (36.78, 64.37, 9.18),
    ),
    ('R50', 'muscle_minus_minus'): (
        (96.75, 98.36, 92.41, 99.58, 99.30, 99.84),
        (81.10, 69.03, 89.48, 87.14, 86.10, 88.22),
        (95.04, 93.82),
        (35.14, 57.32, 12.97),
    ),
    ('R50', 'muscle'): (
        (98.12, 98.36, 97.47, 99.72, 99.46, 99.92),
        (82.60, 74.53, 88.21, 88.37, 87.38, 89.32),
        (95.27, 94.10),
        (37.83, 63.46, 12.21),
    ),
}

#: (backbone, initialisation) -> task -> key of a measure -> value in percent
PUBLISHED: dict[tuple[str, str], dict[str, dict[str, float]]] = {
    row: {
        task: dict(zip(keys, values, strict=True))
        for (task, keys), values in zip(_KEYS.items(), tasks, strict=True)
    }
    for row, tasks in _VALUES.items()
}
