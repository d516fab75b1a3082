# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Tiny sets in the published layouts, and DICOM files, written where a test wants them."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'prepare_dataset.py'


def write_film(path: Path, value: int = 0, size: tuple[int, int] = (12, 10)) -> Path:
    """Write a small grey picture, (height, width), different for every value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(size[0] * size[1], dtype=np.uint16).reshape(size)
    Image.fromarray(((rows + 7 * value) % 256).astype(np.uint8)).save(path)
    return path


def write_mask(path: Path, size: tuple[int, int] = (12, 10)) -> Path:
    """Write a mask whose upper half is the object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, dtype=np.uint8)
    mask[: size[0] // 2] = 255
    Image.fromarray(mask).save(path)
    return path


def write_coco(path: Path, categories: list[str], boxes: dict[str, list[tuple]]) -> Path:
    """Write a COCO file; a box is (category number from 1, x, y, width, height)."""
    images = [{'id': i, 'file_name': name} for i, name in enumerate(boxes, 1)]
    annotations = [
        {'id': 0, 'image_id': i, 'category_id': box[0], 'bbox': list(box[1:])}
        for i, found in enumerate(boxes.values(), 1)
        for box in found
    ]
    for number, annotation in enumerate(annotations, 1):
        annotation['id'] = number
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                'images': images,
                'annotations': annotations,
                'categories': [{'id': i, 'name': name} for i, name in enumerate(categories, 1)],
            }
        )
    )
    return path


def nihcc(root: Path) -> None:
    names = [f'{patient:08}_{film:03}.png' for patient in (1, 2, 3) for film in (0, 1)]
    for i, name in enumerate(names):
        write_film(root / ('images_001' if i < 4 else 'images_002') / 'images' / name, i)
    rows = ['Image Index,Finding Labels,Patient ID']
    rows += [f'{name},No Finding,{int(name[:8])}' for name in names]
    (root / 'Data_Entry_2017_v2020.csv').write_text('\n'.join(rows))
    (root / 'train_val_list.txt').write_text('\n'.join(names[:4]))
    (root / 'test_list.txt').write_text('\n'.join(names[4:]))


def china_set_cxr(root: Path) -> None:
    for i in range(3):
        write_film(root / f'ChinaSet_AllFiles/CXR_png/CHNCXR_{i:04}_{i % 2}.png', i)


def montgomery_cxr(root: Path) -> None:
    for i in range(3):
        write_film(root / f'MontgomerySet/CXR_png/MCUCXR_{i:04}_{i % 2}.png', i)
        for side in ('leftMask', 'rightMask'):
            write_mask(root / f'MontgomerySet/ManualMask/{side}/MCUCXR_{i:04}_{i % 2}.png')


def indiana_cxr(root: Path) -> None:
    for i, name in enumerate(('CXR1_1_IM-0001-3001', 'CXR1_1_IM-0001-4001', 'CXR22_IM-0001-1001')):
        write_film(root / f'NLMCXR_png/{name}.png', i)


def rsna_bone_age(root: Path) -> None:
    for i in (1377, 1378, 1379):
        write_film(root / f'boneage-training-dataset/{i}.png', i)
    rows = 'id,boneage,male\n1377,180,False\n1378,12,False\n1379,94,True\n'
    (root / 'boneage-training-dataset.csv').write_text(rows)


def pneumonia_cxr(root: Path) -> None:
    for i in range(20):
        split = 'train' if i < 16 else 'test'
        kind = 'IM' if i % 2 else 'NORMAL2-IM'
        write_film(root / f'chest_xray/{split}/NORMAL/{kind}-{i:04}-0001.jpeg', i)
        write_film(root / f'chest_xray/{split}/PNEUMONIA/person{i}_bacteria_{3 * i}.jpeg', i + 50)
        write_film(root / f'chest_xray/{split}/PNEUMONIA/person{i}_virus_{3 * i + 1}.jpeg', i + 90)


def mura(root: Path) -> None:
    names = []
    for i in range(20):
        split = 'train' if i < 16 else 'valid'
        part = ('XR_ELBOW', 'XR_HAND')[i % 2]
        study = f'study1_{("negative", "positive")[i // 2 % 2]}'
        for image in (1, 2):
            names.append(f'MURA-v1.1/{split}/{part}/patient{i:05}/{study}/image{image}.png')
            write_film(root / names[-1], 2 * i + image)
    # a Mac's shadow of a file, as in the published archive
    (root / names[0]).with_name('._image1.png').write_bytes(b'junk')
    for split in ('train', 'valid'):
        listed = [name for name in names if f'/{split}/' in name]
        (root / f'MURA-v1.1/{split}_image_paths.csv').write_text('\n'.join(listed))
        studies = sorted({name.rpartition('/')[0] for name in listed})
        rows = [f'{study}/,{int(study.endswith("positive"))}' for study in studies]
        (root / f'MURA-v1.1/{split}_labeled_studies.csv').write_text('\n'.join(rows))


def chest_xray_masks(root: Path) -> None:
    base = root / 'Lung Segmentation'
    for i in range(10):
        write_film(base / f'CXR_png/CHNCXR_{i:04}_{i % 2}.png', i)
        write_mask(base / f'masks/CHNCXR_{i:04}_{i % 2}_mask.png')
        write_film(base / f'CXR_png/MCUCXR_{i:04}_0.png', i + 100)
        write_mask(base / f'masks/MCUCXR_{i:04}_0.png')


def tbx(root: Path) -> None:
    categories = [
        'ActiveTuberculosis',
        'ObsoletePulmonaryTuberculosis',
        'PulmonaryTuberculosis',
    ]
    for split, first, last in (('train', 1, 17), ('val', 17, 21)):
        boxes: dict[str, list[tuple]] = {'health/h0001.png': []}
        for i in range(first, last):
            boxes[f'tb/tb{i:04}.png'] = [(1 + i % 2, 1, 2, 3, 4)]
        boxes[f'tb/tb{first:04}.png'] += [(2, 2, 2, 5, 6)]
        write_coco(root / f'TBX11K/annotations/json/TBX11K_{split}.json', categories, boxes)
        for i, name in enumerate(boxes):
            write_film(root / 'TBX11K/imgs' / name, first + i)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    'NIHCC': nihcc,
    'ChinaSetCXR': china_set_cxr,
    'MontgomeryCXR': montgomery_cxr,
    'IndianaCXR': indiana_cxr,
    'RSNABoneAge': rsna_bone_age,
    'PneumoniaCXR': pneumonia_cxr,
    'MURA': mura,
    'ChestXrayMasks': chest_xray_masks,
    'TBX': tbx,
}


@pytest.fixture
def published(tmp_path: Path) -> Callable[[str], Path]:
    """Write a set in its published layout and give its folder."""

    def write(name: str) -> Path:
        root = tmp_path / 'published' / name
        root.mkdir(parents=True)
        LAYOUTS[name](root)
        return root

    return write


@pytest.fixture
def prepared(tmp_path: Path, published: Callable[[str], Path]) -> Callable[..., Path]:
    """Write a set, prepare it, and give the folder of its manifest."""
    from muscle_mm.datasets.preparation import prepare

    def make(name: str, **options) -> Path:
        out = tmp_path / 'data' / name
        prepare(name, published(name), out, progress=False, **options)
        return out

    return make


@pytest.fixture
def film() -> Callable[..., Path]:
    """The writer of a small grey picture."""
    return write_film


@pytest.fixture
def mask() -> Callable[..., Path]:
    """The writer of a small mask."""
    return write_mask


@pytest.fixture
def coco() -> Callable[..., Path]:
    """The writer of a COCO file."""
    return write_coco


@pytest.fixture
def dicom(tmp_path: Path) -> Callable[..., Path]:
    """Write an uncompressed DICOM file; further arguments become header fields."""
    pydicom = pytest.importorskip('pydicom')

    def write(pixels: np.ndarray | None, name: str = 'film.dcm', **fields) -> Path:
        from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[name])
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID
        if pixels is not None:
            data.Rows, data.Columns = pixels.shape[-2:]
            data.BitsAllocated = 8 * pixels.dtype.itemsize
            data.BitsStored, data.HighBit = data.BitsAllocated, data.BitsAllocated - 1
            data.PixelRepresentation = int(pixels.dtype.kind == 'i')
            data.SamplesPerPixel = 1
            data.PhotometricInterpretation = 'MONOCHROME2'
            data.PixelData = pixels.tobytes()
            data['PixelData'].VR = 'OW'
        for key, value in fields.items():
            setattr(data, key, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def work_here(monkeypatch) -> Callable[[str], None]:
    """Let a module work on its files in this process, where a test can watch and disturb it."""

    def patch(module: str) -> None:
        monkeypatch.setattr(
            f'{module}.map_files', lambda function, files, workers, lost: map(function, files)
        )

    return patch


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Run tools/prepare_dataset.py in this process: status, output, errors with progress."""
    spec = importlib.util.spec_from_file_location('prepare_dataset_tool', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['prepare_dataset.py', *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            tool.run_command(tool.main)
        status = left.value.code
        output = capsys.readouterr()
        return status, output.out, output.err

    return call
