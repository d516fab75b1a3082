# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What data are like: every kind of bad input gives a named reason, and costs nothing else.

Each line of a table puts one thing beside two good films: its place, who makes it, and what must
become of it: a reason in ``rejected.csv`` (key words of it), ``ACCEPTED`` (odd, but a film: it is
in the manifest), ``PASSED_OVER`` (no film, and nobody's concern), or ``Fails`` (nothing can be read
without it: one message). The good films must be in the manifest in all cases but the last.
"""

import csv
import json
import os
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.preparation import prepare
from muscle_mm.utils.errors import UserError

ACCEPTED, PASSED_OVER = object(), object()


@dataclass
class Fails:
    """The set cannot be read; key words of the message."""

    words: str


def pixels(value=0, dtype=np.uint8):
    """A film of 16 x 20 pixels; another for every value."""
    ramp = np.arange(320, dtype=np.int64).reshape(16, 20) * 3 + value
    return (ramp % 251 * (1 if dtype == np.uint8 else 200)).astype(dtype)


def saved(image=None, value=7, **options):
    """A writer of a picture, whatever the name says."""

    def write(path):
        picture = Image.fromarray(pixels(value)) if image is None else image()
        picture.save(path, **{'format': 'PNG', **options})

    return write


def content(data):
    """A writer of bytes."""
    return lambda path: path.write_bytes(data)


def cut(part, **options):
    """A writer of the first part of a picture."""

    def write(path):
        saved(**options)(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])

    return write


def damaged(path):
    """A PNG with a byte changed in the middle."""
    saved()(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def bomb(path):
    """A PNG of few bytes that says it has 2.5 billion pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack('>I', len(data)) + body + struct.pack('>I', zlib.crc32(body))

    header = struct.pack('>IIBBBBB', 50000, 50000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    path.write_bytes(
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', data) + chunk(b'IEND', b'')
    )


def two_frames(kind):
    """A writer of a picture of two frames."""
    frames = [Image.fromarray(pixels(7)), Image.fromarray(pixels(9))]
    return lambda path: frames[0].save(path, format=kind, save_all=True, append_images=frames[1:])


def link_to(target):
    """A writer of a link."""
    return lambda path: path.symlink_to(target)


def link_out_of_the_set(path):
    elsewhere = path.parent.parent / 'elsewhere.png'
    saved()(elsewhere)
    path.symlink_to(elsewhere)


def without_permission(path):
    saved()(path)
    path.chmod(0)


def folder_without_permission(path):
    path.mkdir()
    saved()(path / 'film.png')
    path.chmod(0)


def film_in_a_folder(path):
    path.mkdir()
    saved()(path / 'film.png')


def constant(value, dtype=np.uint8, shape=(16, 20)):
    return saved(lambda: Image.fromarray(np.full(shape, value, dtype)))


def in_mode(mode):
    return lambda: Image.fromarray(pixels(7)).convert(mode)


def exif_rotated(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(7)).save(path, format='JPEG', exif=exif)


def dicom(array=None, patient='P7', drop=(), **fields):
    """A writer of a DICOM file; further arguments become header fields."""

    def write(path):
        import pydicom
        from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = (
            DigitalXRayImageStorageForPresentation
        )
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = '1.2.3'
        data.PatientID = patient
        stored = pixels(7, np.uint16) if array is None else array
        data.Rows, data.Columns = stored.shape[-2:]
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 0, 1
        data.PhotometricInterpretation = 'MONOCHROME2'
        data.PixelData = stored.tobytes()
        data['PixelData'].VR = 'OW'
        for key, value in fields.items():
            setattr(data, key, value)
        for key in drop:
            delattr(data, key)
        data.save_as(path, enforce_file_format=True)

    return write


def cut_dicom(part):
    def write(path):
        dicom()(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])

    return write


def without_preamble(path):
    dicom()(path)
    path.write_bytes(path.read_bytes()[132:])


def compressed_in_an_unknown_way(path):
    dicom()(path)
    known, unknown = b'1.2.840.10008.1.2.1\0', b'1.2.840.99999.1.2.1\0'
    path.write_bytes(path.read_bytes().replace(known, unknown, 1))


THREE_FRAMES = np.stack([pixels(7, np.uint16)] * 3)
NOT_READ = 'not a PNG, JPEG, TIFF or DICOM file'
FILES = [
    # what lies beside the good films, its name, what becomes of it
    ('zero bytes', 'bad.png', content(b''), 'the file is empty'),
    ('truncated PNG', 'bad.png', cut(0.6), 'truncated'),
    ('truncated JPEG', 'bad.jpg', cut(0.6, format='JPEG'), 'truncated'),
    ('truncated TIFF', 'bad.tif', cut(0.6, format='TIFF'), 'truncated'),
    ('PNG with a changed byte', 'bad.png', damaged, 'damaged'),
    ('eight bytes of a PNG', 'bad.png', content(b'\x89PNG\r\n\x1a\n'), 'damaged'),
    ('text named .png', 'bad.png', content(b'see attachment'), NOT_READ),
    ('web page named .jpg', 'bad.jpg', content(b'<html>404</html>'), NOT_READ),
    ('GIF named .png', 'bad.png', saved(format='GIF'), NOT_READ),
    ('BMP named .jpg', 'bad.jpg', saved(format='BMP'), NOT_READ),
    ('decompression bomb', 'bad.png', bomb, 'too large'),
    ('one pixel', 'bad.png', constant(3, shape=(1, 1)), '1 x 1 pixels of one grey value only'),
    ('all black', 'bad.png', constant(0), 'one grey value only'),
    ('all white', 'bad.png', constant(255), 'one grey value only'),
    ('16 bits of one value', 'bad.png', constant(9, np.uint16), 'one grey value only'),
    ('TIFF of two pages', 'bad.tif', two_frames('TIFF'), '2 frames'),
    ('animated PNG', 'bad.png', two_frames('PNG'), '2 frames'),
    ('link that leads nowhere', 'bad.png', link_to('gone.png'), 'link to a file that does not'),
    ('link to itself', 'bad.png', link_to('bad.png'), 'levels of symbolic links'),
    ('pipe', 'bad.png', os.mkfifo, 'a pipe or a device'),
    ('no permission', 'bad.png', without_permission, 'Permission denied'),
    ('folder without permission', 'bad', folder_without_permission, 'not a file: bad is a folder'),
    ('DICOM without pixels', 'bad.dcm', dicom(drop=['PixelData']), 'no pixel data'),
    ('DICOM header cut off', 'bad.dcm', cut_dicom(0.3), 'pixel data'),
    ('DICOM pixels cut off', 'bad.dcm', cut_dicom(0.8), 'pixel data cannot be decoded'),
    ('DICOM with too many rows', 'bad.dcm', dicom(Rows=5000), 'pixel data cannot be decoded'),
    ('DICOM without rows', 'bad.dcm', dicom(drop=['Rows']), 'pixel data'),
    ('DICOM of several frames', 'bad.dcm', dicom(THREE_FRAMES, NumberOfFrames=3), '3 frames'),
    ('DICOM of one value', 'bad.dcm', dicom(np.full((16, 20), 9, np.uint16)), 'one grey value'),
    ('DICOM of unknown compression', 'bad.dcm', compressed_in_an_unknown_way, 'not supported'),
    ('text named .dcm', 'bad.dcm', content(b'see attachment'), 'not a DICOM file'),
    ('BMP', 'bad.bmp', saved(format='BMP'), '.bmp files are not read; convert it to PNG'),
    ('JPEG 2000', 'BAD.JP2', content(b'jP'), '.jp2 files are not read; convert it to PNG'),
    ('volume', 'bad.nii.gz', content(b'\x1f\x8b'), '.nii.gz files are not read'),
    ('DICOM without an ending', 'IM000001', dicom(), ACCEPTED),
    ('DICOM with a number for one', '1.2.840.7', dicom(), ACCEPTED),
    ('report without an ending', 'SR1', dicom(drop=['PixelData']), 'no pixel data'),
    ('DICOM of old, without an ending', 'IM1', without_preamble, 'it has no DICOM preamble'),
    ('text without an ending', 'README', content(b'burnt on a Monday'), PASSED_OVER),
    ('pipe without an ending', 'queue', os.mkfifo, PASSED_OVER),
    ('table of contents', 'DICOMDIR', dicom(drop=['PixelData']), PASSED_OVER),
    ('JPEG named .png', 'odd.png', saved(format='JPEG'), ACCEPTED),
    ('PNG named .dcm', 'odd.dcm', saved(), 'not a DICOM file'),
    ('DICOM named .png', 'odd.png', dicom(), ACCEPTED),
    ('DICOM without a patient', 'odd.dcm', dicom(patient=''), ACCEPTED),
    ('ending in upper case', 'odd.PNG', saved(), ACCEPTED),
    ('colour JPEG', 'odd.jpeg', saved(in_mode('RGB'), format='JPEG'), ACCEPTED),
    ('CMYK JPEG', 'odd.jpg', saved(in_mode('CMYK'), format='JPEG'), ACCEPTED),
    ('JPEG turned by EXIF', 'odd.jpg', exif_rotated, ACCEPTED),
    ('palette PNG', 'odd.png', saved(in_mode('P')), ACCEPTED),
    ('grey with alpha', 'odd.png', saved(in_mode('LA')), ACCEPTED),
    ('one bit a pixel', 'odd.png', saved(in_mode('1')), ACCEPTED),
    ('16 bits', 'odd.png', saved(lambda: Image.fromarray(pixels(7, np.uint16))), ACCEPTED),
    ('name that is not ASCII', 'Röntgen 肺 😷.png', saved(), ACCEPTED),
    ('name that is not UTF-8', os.fsdecode(b'R\xf6ntgen.png'), saved(), ACCEPTED),
    ('very long name', 'x' * 251 + '.png', saved(), ACCEPTED),
    ('line end, comma and quote', 'a\n\r\t,"b\'.png', saved(), ACCEPTED),
    ('bad file of such a name', 'a\n\r\t,"b\'.png', content(b''), 'the file is empty'),
    ('bad file, name not UTF-8', os.fsdecode(b'R\xf6ntgen.png'), content(b''), 'the file is empty'),
    ('link out of the set', 'odd.png', link_out_of_the_set, ACCEPTED),
    ('link to the folder above', 'loop', link_to('.'), PASSED_OVER),
    ('empty folder', 'nothing', os.mkdir, PASSED_OVER),
    ("a Mac's shadow of a file", '._good1.png', content(b'\0\5\x16\7'), PASSED_OVER),
    ('Thumbs.db', 'Thumbs.db', content(b'\xd0\xcf'), PASSED_OVER),
    ('part of a download', 'bad.png.part', content(b'\x89PNG'), PASSED_OVER),
]  # fmt: skip


def fill_folder(source):
    source.mkdir()
    for value in (1, 2):
        saved(value=value)(source / f'good{value}.png')
    return {'good1.png', 'good2.png'}


def check(name, source, good, place, becomes, tmp_path, **options):
    """Prepare, and see what has become of the thing beside the good films."""
    out = tmp_path / 'out'
    if isinstance(becomes, Fails):
        with pytest.raises(UserError) as caught:
            prepare(name, source, out, progress=False, **options)
        assert becomes.words in str(caught.value)
        assert not (out / 'manifest.json').exists()
        return
    summary = prepare(name, source, out, progress=False, **options)
    used = {record['img_path'] for record in summary.records}
    with open(out / 'rejected.csv', newline='', encoding='utf-8', errors='surrogateescape') as file:
        rejected = [(row['path'], row['reason']) for row in csv.DictReader(file)]
    if becomes is ACCEPTED:
        assert (used, rejected) == (good | {place}, [])
    elif becomes is PASSED_OVER:
        assert (used, rejected) == (good, [])
    else:
        assert used == good
        assert [path for path, _ in rejected] == [place]
        assert becomes in rejected[0][1]
        assert len(rejected[0][1]) > 10


def put_file(place, make, becomes, tmp_path):
    if os.geteuid() == 0 and make in (without_permission, folder_without_permission):
        pytest.skip('root may read every file')
    good = fill_folder(tmp_path / 'source')
    make(tmp_path / 'source' / place)
    check('XrayFolder', tmp_path / 'source', good, place, becomes, tmp_path)


EXPORTED = [
    ('file without an ending', 'IM000001', dicom(), ACCEPTED),
    ('number for an ending', '1.2.840.7', dicom(), ACCEPTED),
    ('structured report', 'SR000001', dicom(drop=['PixelData'], Modality='SR'), 'no pixel data'),
    ('slice of a CT', 'IM0007', dicom(Modality='CT'), 'no radiograph (Modality CT)'),
    ('ultrasound', 'IM0007', dicom(Modality='US'), 'no radiograph (Modality US)'),
    ('scanned paper', 'IM0007', dicom(Modality='DOC'), 'no radiograph (Modality DOC)'),
    ('film of unusual Modality', 'IM0007', dicom(Modality='DR'), ACCEPTED),
    ('film of other Modality', 'IM0007', dicom(Modality='OT'), ACCEPTED),
    ('film of empty Modality', 'IM0007', dicom(Modality=''), ACCEPTED),
    ('no DICOM, no ending', 'README', content(b'burnt on a Monday'), NOT_READ),
    ('table of contents', 'DICOMDIR', content(b'whatever'), PASSED_OVER),
    ('viewer', 'viewer.exe', content(b'MZ'), PASSED_OVER),
]  # fmt: skip


def put_export(place, make, becomes, tmp_path):
    source = tmp_path / 'source'
    source.mkdir()
    for value in (1, 2):
        dicom(pixels(value, np.uint16), patient=f'P{value}')(source / f'IM{value}')
    make(source / place)
    check('DicomFolder', source, {'IM1', 'IM2'}, place, becomes, tmp_path)


TABLES = [
    # what is wrong with the table, its further lines, what becomes of odd.png
    ('missing row', '', 'not named in labels.csv'),
    ('duplicate row', 'odd.png,sick\nodd.png,sick', ACCEPTED),
    ('rows that disagree', 'odd.png,sick\nodd.png,well', "'sick' in line 4 and 'well' in line 5"),
    ('NaN label', 'odd.png,NaN', "no label ('NaN'"),
    ('empty label', 'odd.png,', "no label (''"),
    ('row that ends early', 'odd.png', "no label (''"),
    ('row that goes on', 'odd.png,sick,and,more', ACCEPTED),
    ('unknown class', 'odd.png,Sick?', "the class 'Sick?' in labels.csv, line 4 is unknown"),
    ('path written with ./', './odd.png,sick', ACCEPTED),
    ('blank lines', '\n\nodd.png,sick\n\n', ACCEPTED),
]  # fmt: skip


def put_table(lines, becomes, tmp_path):
    good = fill_folder(tmp_path / 'source')
    saved(value=3)(tmp_path / 'source/odd.png')
    table = tmp_path / 'labels.csv'
    table.write_text(f'img_path,label\ngood1.png,sick\ngood2.png,well\n{lines}')
    options = {'labels': table, 'classes': ['well', 'sick']}
    check('XrayFolder', tmp_path / 'source', good, 'odd.png', becomes, tmp_path, **options)


HEADING = 'img_path,label\n'
ROWS = f'{HEADING}good1.png,sick\ngood2.png,well\n'
WHOLE_TABLES = [
    # what is odd about the table, its text, how it is written, what becomes of gone.png
    ('byte-order mark', ROWS, 'utf-8-sig', PASSED_OVER),
    ('semicolons', ROWS.replace(',', ';'), 'utf-8', PASSED_OVER),
    ('tabs', ROWS.replace(',', '\t'), 'utf-8', PASSED_OVER),
    ('line ends of Windows', ROWS.replace('\n', '\r\n'), 'utf-8', PASSED_OVER),
    ('row of a missing file', f'{ROWS}gone.png,sick', 'utf-8', 'the file is missing'),
    ('not UTF-8', f'{ROWS}Müller.png,sick', 'latin-1', Fails('not UTF-8')),
    ('UTF-16', ROWS, 'utf-16', Fails('not UTF-8')),
    ('no heading', ROWS[len(HEADING) :], 'utf-8', Fails("'label' is missing. Found: good1.png")),
    ('empty', '', 'utf-8', Fails("the column 'label' is missing. Found: nothing")),
    ('heading alone', HEADING, 'utf-8', Fails('at least one row')),
    ('one class', f'{HEADING}good1.png,sick', 'utf-8', Fails('at least two different labels')),
    ('other names', f'{HEADING}1.png,a\n2.png,b', 'utf-8', Fails('names none of the 2 images')),
]


def put_whole_table(text, encoding, becomes, tmp_path):
    good = fill_folder(tmp_path / 'source')
    table = tmp_path / 'labels.csv'
    table.write_bytes(text.encode(encoding))
    check('XrayFolder', tmp_path / 'source', good, 'gone.png', becomes, tmp_path, labels=table)


BAD = 'images/bad.png'
NOTES = 'annotations.json'


def box(*numbers, **others):
    """A change: one more annotation, of bad.png."""
    return lambda coco: coco['annotations'].append(
        {'id': 9, 'image_id': 3, 'category_id': 1, 'bbox': list(numbers), **others}
    )


def image(name, number=4):
    return lambda coco: coco['images'].append({'id': number, 'file_name': name})


def annotated(width, height):
    """A change: a box in bad.png, drawn on a film of this size."""

    def change(coco):
        box(2, 2, 5, 5)(coco)
        coco['images'][-1].update(width=width, height=height)

    return change


def added(**keys):
    return lambda coco: coco['annotations'].append({'id': 9, **keys})


def without(key):
    return lambda coco: coco.pop(key)


def put(key, value):
    return lambda coco: coco.update({key: value})


def nothing(coco):
    pass


ANNOTATIONS = [
    # what is wrong, how, which file is concerned, what becomes of it
    ('box of no width', box(2, 2, 0, 5), BAD, 'is empty'),
    ('box of no height', box(2, 2, 5, 0), BAD, 'is empty'),
    ('negative width', box(9, 9, -5, 5), BAD, 'is empty'),
    ('normalised to 0..1', box(0.2, 0.2, 0.5, 0.5), BAD, 'is smaller than a pixel'),
    ('flat', box(2, 2, 5, 0.5), BAD, 'is smaller than a pixel'),
    ('one pixel', box(2.1, 3.3, 1, 1), BAD, ACCEPTED),
    ('drawn on a preview', annotated(10, 8), BAD, 'at 10 x 8 pixels, the film has 20 x 16'),
    ('drawn on a turned film', annotated(16, 20), BAD, 'at 16 x 20 pixels, the film has 20 x 16'),
    ('drawn on the film', annotated(20, 16), BAD, ACCEPTED),
    ('size is not known', annotated(0, 0), BAD, ACCEPTED),
    ('size is null', annotated(None, None), BAD, ACCEPTED),
    ('size is text', annotated('20', 'x'), BAD, "at '20' x 'x' pixels, the film has"),
    ('outside the image', box(50, 2, 5, 5), BAD, 'lies outside the image of 20 x 16'),
    ('left of the image', box(-9, 2, 5, 5), BAD, 'lies outside'),
    ('huge', box(0, 0, 4000, 4000), BAD, 'mostly outside'),
    ('huger', box(0, 0, 1e308, 1e308), BAD, 'mostly outside'),
    ('not a number', box(float('nan'), 2, 3, 4), BAD, 'not four finite numbers'),
    ('infinite', box(0, 0, float('inf'), 4), BAD, 'not four finite numbers'),
    ('three numbers', box(1, 2, 3), BAD, 'not four finite numbers'),
    ('text', box('1', '2', '3', '4'), BAD, 'not four finite numbers'),
    ('no box', added(image_id=3, category_id=1), BAD, 'annotation 9 has no bbox'),
    ('no category', added(image_id=3, bbox=[1, 1, 5, 5]), BAD, 'annotation 9 has no category_id'),
    ('no image', added(category_id=1, bbox=[1, 1, 5, 5]), NOTES, 'unknown image None'),
    ('null', box(1, 1, 5, 5, bbox=None), BAD, 'not four finite numbers'),
    ('unknown category', box(1, 1, 5, 5, category_id=7), BAD, 'has the unknown category 7'),
    ('strange iscrowd', box(1, 1, 5, 5, iscrowd='x'), BAD, "iscrowd 'x'"),
    ('unknown image', box(1, 1, 5, 5, image_id=77), NOTES, 'unknown image 77'),
    ('file is missing', image('gone.png'), 'images/gone.png', 'the file is missing'),
    ('image is not named', lambda coco: coco['images'].pop(), BAD, 'not named in annotations.json'),
    ('image is named twice', image('bad.png'), BAD, 'named 2 times'),
    ('path above the set', image('../../x.png'), 'images/../../x.png', 'leaves the source folder'),
    ('absolute path', image('/etc/passwd'), 'images//etc/passwd', 'the file is missing'),
    ('box that sticks out', box(15, 10, 6, 7), BAD, ACCEPTED),
    ('equal annotations', lambda coco: [box(1, 1, 5, 5)(coco) for _ in 'ab'], BAD, ACCEPTED),
    ('image without a box', nothing, BAD, ACCEPTED),
    ('no categories', without('categories'), NOTES, Fails("'categories' is missing")),
    ('no annotations', without('annotations'), NOTES, Fails("'annotations' is missing")),
    ('null for images', put('images', None), NOTES, Fails('not a COCO annotation file')),
    ('list in a list', put('images', [[]]), NOTES, Fails('not a COCO annotation file')),
    ('Windows drive', image('C:/x.png'), 'images/C:/x.png', 'the file is missing'),
]  # fmt: skip


def put_annotations(change, place, becomes, tmp_path):
    source = tmp_path / 'source'
    (source / 'images').mkdir(parents=True)
    names = ('good1.png', 'good2.png', 'bad.png')
    for value, name in enumerate(names):
        saved(value=value)(source / 'images' / name)
    coco = {
        'images': [{'id': i, 'file_name': name} for i, name in enumerate(names, 1)],
        'categories': [{'id': 1, 'name': 'lung'}],
        'annotations': [
            {'id': i, 'image_id': i, 'category_id': 1, 'bbox': [1, 2, 5, 6]} for i in (1, 2)
        ],
    }
    change(coco)
    (source / NOTES).write_text(json.dumps(coco))
    good = {'images/good1.png', 'images/good2.png'}
    if place != BAD:
        good.add(BAD)
    check('XrayBoxFolder', source, good, place, becomes, tmp_path)


@pytest.mark.parametrize('data', [b'', b'{', b'[]', b'\xff\xfe', b'"text"'])
def test_annotations_that_are_none(data, tmp_path):
    (tmp_path / 'source/images').mkdir(parents=True)
    saved()(tmp_path / 'source/images/a.png')
    (tmp_path / 'source' / NOTES).write_bytes(data)
    check('XrayBoxFolder', tmp_path / 'source', set(), '', Fails('annotations.json'), tmp_path)


def mask_of(array, **options):
    return saved(lambda: Image.fromarray(np.asarray(array, np.uint8)), **options)


def mask16(array):
    return saved(lambda: Image.fromarray(np.asarray(array, np.uint16)))


HALF = np.repeat([0, 1], 160).reshape(16, 20)
THIRDS = np.arange(320).reshape(16, 20) // 110
# two objects, the second one of 9 of 320 pixels
SPECK = HALF * 255
SPECK[2:5, 2:5] = 127
# an object, and what must not be counted: named 1, in a mask of 0 and 255
IGNORED = THIRDS.copy()
IGNORED[THIRDS == 2] = 255
BLURRED = HALF * 255
BLURRED[8, :12] = np.arange(20, 260, 20)
# few values, but none of them fills an area: a border, a speck, a hole, as shrinking leaves them
HALVED = HALF * 255
HALVED[8, :3] = 64, 128, 191
HALVED[3, 5], HALVED[12, 5] = 64, 191
MASKS = [
    # what is wrong with the mask, its name, who makes it, the file concerned, what becomes of it
    ('other size', 'bad.png', mask_of(HALF[:, :9]), BAD, 'has 9 x 16 pixels, the image 20 x 16'),
    ('missing', 'other.txt', content(b''), BAD, 'no mask of this name in '),
    ('zero bytes', 'bad.png', content(b''), BAD, 'mask masks/bad.png: the file is empty'),
    ('text', 'bad.png', content(b'lung'), BAD, NOT_READ),
    ('three values', 'bad.png', mask_of(THIRDS), BAD, '3 grey values'),
    ('left 128, right 255', 'bad.png', mask_of(THIRDS * 127), BAD, '3 grey values'),
    ('a small third value', 'bad.png', mask_of(SPECK), BAD, '3 grey values'),
    ('16 bits: 0, 1, 2', 'bad.png', mask16((SPECK + 1) // 128), BAD, '3 grey values'),
    ('a small third value inside', 'bad.png', mask_of(255 - SPECK), BAD, '3 grey values'),
    ('0, 1 and 255', 'bad.png', mask_of(IGNORED), BAD, '3 grey values'),
    ('16 bits: 0, 1, 8', 'bad.png', mask16(THIRDS**3), BAD, '3 grey values'),
    ('pipe', 'bad.png', os.mkfifo, BAD, 'not a file: masks/bad.png is a'),
    ('grey values', 'bad.png', mask_of(pixels()), BAD, 'grey values, expected two'),
    ('grey everywhere', 'bad.png', mask_of(HALF * 0 + 77), BAD, '1 grey values'),
    ('empty', 'bad.png', mask_of(HALF * 0), BAD, ACCEPTED),
    ('object everywhere', 'bad.png', mask_of(HALF * 0 + 255), BAD, ACCEPTED),
    ('0 and 1', 'bad.png', mask_of(HALF), BAD, ACCEPTED),
    ('0 and 38', 'bad.png', mask_of(HALF * 38), BAD, ACCEPTED),
    ('16 bits: 0 and 1', 'bad.png', mask16(HALF), BAD, ACCEPTED),
    ('16 bits: 0 and 65535', 'bad.png', mask16(HALF * 65535), BAD, ACCEPTED),
    ('blurred', 'bad.png', mask_of(BLURRED), BAD, ACCEPTED),
    ('halved', 'bad.png', mask_of(HALVED), BAD, ACCEPTED),
    ('16 bits: halved', 'bad.png', mask16(HALVED * 257), BAD, ACCEPTED),
    ('JPEG', 'bad.jpg', mask_of(HALF * 255, format='JPEG'), BAD, ACCEPTED),
    ('colour', 'bad.png', mask_of(np.stack([HALF * 255] * 3, axis=2)), BAD, ACCEPTED),
]  # fmt: skip


def put_mask(name, make, place, becomes, tmp_path):
    source = tmp_path / 'source'
    for folder in ('images', 'masks'):
        (source / folder).mkdir(parents=True)
    for value, film in enumerate(('good1.png', 'good2.png', 'bad.png')):
        saved(value=value)(source / 'images' / film)
        if film != 'bad.png':
            mask_of(HALF * 255)(source / 'masks' / film)
    make(source / 'masks' / name)
    good = {'images/good1.png', 'images/good2.png'}
    check('XrayMaskFolder', source, good, place, becomes, tmp_path)


def test_mask_without_an_image(tmp_path):
    for folder in ('images', 'masks'):
        (tmp_path / 'source' / folder).mkdir(parents=True)
        for name in ('good1.png', 'good2.png'):
            mask_of(HALF * 255)(tmp_path / 'source' / folder / name)
    mask_of(HALF)(tmp_path / 'source/masks/odd.png')
    good = {'images/good1.png', 'images/good2.png'}
    reason = 'a mask without an image'
    check('XrayMaskFolder', tmp_path / 'source', good, 'masks/odd.png', reason, tmp_path)


TABLES_OF_KINDS = {
    'file': (FILES, put_file),
    'export': (EXPORTED, put_export),
    'labels': (TABLES, put_table),
    'table': (WHOLE_TABLES, put_whole_table),
    'boxes': (ANNOTATIONS, put_annotations),
    'mask': (MASKS, put_mask),
}
KINDS = [
    pytest.param(put, line[1:], id=f'{name}: {line[0]}')
    for name, (table, put) in TABLES_OF_KINDS.items()
    for line in table
]


@pytest.mark.parametrize(('put', 'line'), KINDS)
def test_bad_input(put, line, tmp_path):
    put(*line, tmp_path)


def test_there_are_at_least_forty_kinds():
    outcomes = [line.values[1][-1] for line in KINDS]
    assert sum(becomes not in (ACCEPTED, PASSED_OVER) for becomes in outcomes) >= 40
    assert len({line.id for line in KINDS}) == len(KINDS)
