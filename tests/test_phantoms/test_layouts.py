# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import csv
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from muscle_mm.phantoms.layouts import LAYOUTS

# Every file that a set may hold besides phantoms.json, as a pattern of its whole relative path.
NAMES = {
    'nihcc': r'images_00[12]/images/\d{8}_\d{3}\.png|Data_Entry_2017_v2020\.csv'
    r'|(train_val|test)_list\.txt',
    'china_set_cxr': r'ChinaSet_AllFiles/(CXR_png/CHNCXR_\d{4}_[01]\.png'
    r'|ClinicalReadings/CHNCXR_\d{4}_[01]\.txt)',
    'montgomery_cxr': r'MontgomerySet/((CXR_png|ManualMask/(leftMask|rightMask))'
    r'/MCUCXR_\d{4}_[01]\.png|ClinicalReadings/MCUCXR_\d{4}_[01]\.txt)',
    'indiana_cxr': r'NLMCXR_png/CXR\d+_1_IM-\d{4}-\d{4}\.png'
    r'|NLMCXR_reports/ecgen-radiology/\d+\.xml',
    'rsna_bone_age': r'boneage-training-dataset(\.csv|/\d+\.png)',
    'pneumonia': r'chest_xray/(train|val|test)/(NORMAL/(NORMAL2-)?IM-\d{4}-\d{4}'
    r'|PNEUMONIA/person\d+_(bacteria|virus)_\d+)\.jpeg',
    'mura': r'MURA-v1\.1/((train|valid)_(image_paths|labeled_studies)\.csv|(train|valid)'
    r'/XR_(ELBOW|FINGER|FOREARM|HAND|HUMERUS|SHOULDER|WRIST)/patient\d{5}'
    r'/study\d_(positive|negative)/image\d\.png)',
    'chest_xray_masks': r'Lung Segmentation/((CXR_png/(CHN|MCU)CXR_\d{4}_[01]'
    r'|masks/(CHNCXR_\d{4}_[01]_mask|MCUCXR_\d{4}_[01]))\.png'
    r'|ClinicalReadings/(CHN|MCU)CXR_\d{4}_[01]\.txt)',
    'tbx': r'TBX11K/(imgs/(health/h|sick/s|tb/tb)\d{4}\.png'
    r'|annotations/json/TBX11K_(train|val|trainval)\.json)',
}


def files(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob('*')
        if path.is_file() and path.name != 'phantoms.json'
    )


@pytest.mark.parametrize('folder', NAMES)
def test_every_file_has_its_published_name(phantoms: Path, folder: str) -> None:
    found = files(phantoms / folder)
    assert found
    odd = [name for name in found if not re.fullmatch(NAMES[folder], name)]
    assert odd == []


def test_nine_sets() -> None:
    assert sorted(layout.folder for layout in LAYOUTS.values()) == sorted(NAMES)


def test_nihcc_table_and_lists(phantoms: Path) -> None:
    root = phantoms / 'nihcc'
    with (root / 'Data_Entry_2017_v2020.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    header = (root / 'Data_Entry_2017_v2020.csv').read_text().splitlines()[0]
    assert header == (
        'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,'
        'View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]'
    )
    films = {path.name: path for path in root.rglob('*.png')}
    assert {row['Image Index'] for row in rows} == set(films)
    for row in rows:
        assert int(row['Patient ID']) == int(row['Image Index'][:8])
        with Image.open(films[row['Image Index']]) as image:
            assert image.size == (int(row['OriginalImage[Width']), int(row['Height]']))
    parts = [set((root / f'{part}_list.txt').read_text().split()) for part in ('train_val', 'test')]
    assert parts[0] | parts[1] == set(films)
    assert not {name[:8] for name in parts[0]} & {name[:8] for name in parts[1]}


@pytest.mark.parametrize(
    ('pattern', 'first_line'),
    [
        ('china_set_cxr/*/ClinicalReadings/*.txt', r'(male|female) \d+yrs'),
        ('montgomery_cxr/*/ClinicalReadings/*.txt', r"Patient's Sex: [MF]"),
    ],
)
def test_readings(phantoms: Path, pattern: str, first_line: str) -> None:
    for path in phantoms.glob(pattern):
        lines = path.read_text().splitlines()
        assert re.fullmatch(first_line, lines[0])
        assert ('normal' in lines[-1]) == path.stem.endswith('_0')


def test_indiana_reports_name_their_films(phantoms: Path) -> None:
    root = phantoms / 'indiana_cxr'
    named = set()
    for path in root.rglob('*.xml'):
        report = ElementTree.parse(path).getroot()
        own = {element.attrib['id'] for element in report.iter('parentImage')}
        assert all(name.startswith(f'CXR{path.stem}_') for name in own)
        assert {text.attrib['Label'] for text in report.iter('AbstractText')} >= {'FINDINGS'}
        named |= own
    assert named == {path.stem for path in root.rglob('*.png')}


def test_bone_age_table(phantoms: Path) -> None:
    root = phantoms / 'rsna_bone_age'
    with (root / 'boneage-training-dataset.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ['id', 'boneage', 'male']
    assert {row['id'] for row in rows} == {path.stem for path in root.rglob('*.png')}
    assert all(1 <= int(row['boneage']) <= 228 and row['male'] in ('True', 'False') for row in rows)


def test_mura_tables(phantoms: Path) -> None:
    root = phantoms / 'mura'
    for part in ('train', 'valid'):
        paths = (root / f'MURA-v1.1/{part}_image_paths.csv').read_text().split()
        assert sorted(paths) == [name for name in files(root) if f'/{part}/' in name]
        rows = (root / f'MURA-v1.1/{part}_labeled_studies.csv').read_text().split()
        labels = dict(row.split(',') for row in rows)
        assert set(labels) == {f'{Path(path).parent.as_posix()}/' for path in paths}
        assert all(
            study.endswith('_positive/') == (label == '1') for study, label in labels.items()
        )


def test_both_labels_in_every_part(phantoms: Path) -> None:
    for part in ('train', 'val', 'test'):
        for label in ('NORMAL', 'PNEUMONIA'):
            assert list((phantoms / f'pneumonia/chest_xray/{part}/{label}').iterdir())
    for part in ('train', 'valid'):
        labels = {path.name for path in (phantoms / f'mura/MURA-v1.1/{part}').glob('*/*/*')}
        assert {label.partition('_')[2] for label in labels} == {'positive', 'negative'}


def test_no_patient_in_two_parts(phantoms: Path) -> None:
    mura = [name.split('/') for name in files(phantoms / 'mura') if name.endswith('.png')]
    patients = {part: {name[3] for name in mura if name[1] == part} for part in ('train', 'valid')}
    assert not patients['train'] & patients['valid']
    seen: dict[str, set[str]] = {}
    for name in files(phantoms / 'pneumonia'):
        patient = re.search(r'person\d+|IM-\d+', name)
        assert patient is not None
        seen.setdefault(patient[0], set()).add(name.split('/')[1])
    assert all(len(parts) == 1 for parts in seen.values())
    assert len(seen) < len(files(phantoms / 'pneumonia'))


def mask_and_film(phantoms: Path) -> list[tuple[Path, Path]]:
    montgomery = phantoms / 'montgomery_cxr/MontgomerySet'
    kaggle = phantoms / 'chest_xray_masks/Lung Segmentation'
    pairs = [
        (mask, montgomery / 'CXR_png' / mask.name)
        for mask in sorted(montgomery.glob('ManualMask/*/*.png'))
    ]
    pairs += [
        (mask, kaggle / 'CXR_png' / mask.name.replace('_mask', ''))
        for mask in sorted(kaggle.glob('masks/*.png'))
    ]
    return pairs


def test_masks_fit_their_films(phantoms: Path) -> None:
    pairs = mask_and_film(phantoms)
    assert len(pairs) > 8 + 8
    for mask_path, film_path in pairs:
        with Image.open(mask_path) as mask, Image.open(film_path) as film:
            assert mask.size == film.size
            assert mask.mode == 'L'
            pixels = np.asarray(mask)
        assert set(np.unique(pixels)) == {0, 255}
        assert 0.03 < (pixels == 255).mean() < 0.5


def test_left_lung_is_on_the_right_of_the_film(phantoms: Path) -> None:
    masks = phantoms / 'montgomery_cxr/MontgomerySet/ManualMask'
    for left in sorted((masks / 'leftMask').iterdir()):
        columns = {}
        for name in ('leftMask', 'rightMask'):
            with Image.open(masks / name / left.name) as image:
                columns[name] = np.nonzero(np.asarray(image))[1].mean()
        assert columns['leftMask'] > columns['rightMask']


def test_some_films_of_the_masks_set_have_no_mask(phantoms: Path) -> None:
    root = phantoms / 'chest_xray_masks/Lung Segmentation'
    assert 0 < len(list((root / 'masks').iterdir())) < len(list((root / 'CXR_png').iterdir()))


def test_boxes_lie_inside_their_films(phantoms: Path) -> None:
    root = phantoms / 'tbx/TBX11K'
    content = json.loads((root / 'annotations/json/TBX11K_trainval.json').read_text())
    assert [(kind['id'], kind['name']) for kind in content['categories']] == [
        (1, 'ActiveTuberculosis'),
        (2, 'ObsoletePulmonaryTuberculosis'),
        (3, 'PulmonaryTuberculosis'),
    ]
    images = {image['id']: image for image in content['images']}
    for image in images.values():
        with Image.open(root / 'imgs' / image['file_name']) as film:
            assert film.size == (image['width'], image['height'])
    boxed = set()
    for found in content['annotations']:
        image = images[found['image_id']]
        left, top, width, height = found['bbox']
        assert left >= 0 and top >= 0 and width > 0 and height > 0
        assert left + width <= image['width'] and top + height <= image['height']
        assert found['area'] == width * height
        boxed.add(image['file_name'])
    assert boxed == {image['file_name'] for image in images.values() if 'tb/' in image['file_name']}
    assert {found['category_id'] for found in content['annotations']} == {1, 2}


def test_train_and_val_boxes_make_up_trainval(phantoms: Path) -> None:
    folder = phantoms / 'tbx/TBX11K/annotations/json'
    names = {
        part: {
            image['file_name']
            for image in json.loads((folder / f'TBX11K_{part}.json').read_text())['images']
        }
        for part in ('train', 'val', 'trainval')
    }
    assert names['train'] | names['val'] == names['trainval']
    assert not names['train'] & names['val']


def test_depths_and_formats(phantoms: Path) -> None:
    modes = {}
    for folder in NAMES:
        modes[folder] = set()
        for path in (phantoms / folder).rglob('*'):
            if path.suffix in ('.png', '.jpeg') and 'mask' not in path.parent.name.lower():
                with Image.open(path) as image:
                    modes[folder].add(image.mode)
                    assert image.format == ('JPEG' if path.suffix == '.jpeg' else 'PNG')
    assert modes['china_set_cxr'] == {'L', 'I;16'}
    assert modes['montgomery_cxr'] == {'I;16'}
    assert modes['pneumonia'] == {'L', 'RGB'}
    assert modes['mura'] == {'L'}


def test_montgomery_films_hold_twelve_bits(phantoms: Path) -> None:
    for path in phantoms.glob('montgomery_cxr/MontgomerySet/CXR_png/*.png'):
        with Image.open(path) as image:
            assert 255 < np.asarray(image).max() <= 4095
