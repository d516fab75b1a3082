# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Every transfer syntax, written here and read back."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate

from muscle_mm.datasets.io import XrayReadError, inspect_xray, limits, read_xray
from muscle_mm.utils.errors import UserError

gdcm = pytest.importorskip('gdcm')


def recoded(path, name):
    """Compress a DICOM file with GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()
    return path


def rewritten(path, syntax):
    """Write a DICOM file without compression in another order of bytes, or deflated."""
    written = pydicom.dcmread(path)
    data = pydicom.Dataset(written)
    data.file_meta = written.file_meta
    data.file_meta.TransferSyntaxUID = syntax
    if not syntax.is_little_endian:
        data.PixelData = np.frombuffer(data.PixelData, '<u2').astype('>u2').tobytes()
    data.save_as(path, enforce_file_format=True)
    return path


def encapsulated(dicom, picture, format_, **options):
    """Write a picture as Pillow compresses it into a DICOM file."""
    stream = io.BytesIO()
    picture.save(stream, format_, **options)
    path = dicom(np.asarray(picture.convert('L')))
    data = pydicom.dcmread(path)
    jpeg = uid.JPEGBaseline8Bit if format_ == 'JPEG' else uid.JPEG2000Lossless
    data.file_meta.TransferSyntaxUID = jpeg
    data.PixelData = encapsulate([stream.getvalue()])
    data['PixelData'].VR = 'OB'
    if picture.mode == 'RGB':
        data.SamplesPerPixel, data.PlanarConfiguration = 3, 0
        data.PhotometricInterpretation = 'YBR_FULL_422'
    data.save_as(path)
    return path


@pytest.mark.parametrize(
    ('name', 'syntax'),
    [
        ('JPEGLosslessProcess14', uid.JPEGLossless),
        ('JPEGLosslessProcess14_1', uid.JPEGLosslessSV1),
        ('JPEGLSLossless', uid.JPEGLSLossless),
        ('JPEGLSNearLossless', uid.JPEGLSNearLossless),
        ('JPEG2000Lossless', uid.JPEG2000Lossless),
        ('JPEG2000', uid.JPEG2000),
    ],
)
@pytest.mark.parametrize('bits', [10, 12, 16])
def test_compressed_by_gdcm(dicom, reference, film12, name, syntax, bits):
    pixels = film12 >> 2 if bits == 10 else film12 << (bits - 12)
    path = recoded(dicom(pixels, BitsStored=bits, HighBit=bits - 1), name)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
    lossy = syntax in (uid.JPEGLSNearLossless, uid.JPEG2000)
    tolerance = 65535 * 4 / np.ptp(pixels) if lossy else 1
    expected = reference.scaled(pixels, dtype='uint16')
    assert reference.difference(read_xray(path, dtype='uint16'), expected) <= tolerance
    assert inspect_xray(path).bits == bits


@pytest.mark.parametrize('name', ['JPEGLosslessProcess14_1', 'JPEGLSLossless', 'JPEG2000Lossless'])
def test_signed_and_compressed(dicom, reference, film12, name):
    signed = film12.astype(np.int16) - 2048
    path = recoded(dicom(signed, BitsStored=12, HighBit=11), name)
    assert reference.difference(read_xray(path), reference.scaled(signed)) <= 1


@pytest.mark.parametrize(
    'syntax',
    [
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
    ],
)
def test_uncompressed(dicom, reference, film12, syntax):
    path = rewritten(dicom(film12, BitsStored=12, HighBit=11), syntax)
    assert reference.difference(read_xray(path), reference.scaled(film12)) <= 1


@pytest.mark.parametrize('frame', [None, 1])
def test_run_length(dicom, reference, film12, frame):
    frames = film12 if frame is None else np.stack([film12 // 2, film12])
    path = dicom(frames, **({} if frame is None else {'NumberOfFrames': 2}))
    data = pydicom.dcmread(path)
    data.compress(uid.RLELossless)
    data.save_as(path)
    assert reference.difference(read_xray(path, frame=frame), reference.scaled(film12)) <= 1


@pytest.mark.parametrize('progressive', [False, True])
def test_jpeg_baseline(dicom, reference, film12, progressive):
    picture = Image.fromarray((film12 >> 4).astype(np.uint8))
    path = encapsulated(dicom, picture, 'JPEG', quality=95, progressive=progressive)
    stream = io.BytesIO()
    picture.save(stream, 'JPEG', quality=95, progressive=progressive)
    decoded = np.asarray(Image.open(stream))
    tolerance = 255 * 2 / np.ptp(decoded)
    assert reference.difference(read_xray(path), reference.scaled(decoded)) <= tolerance


def test_jpeg_in_colour(dicom, reference):
    down, across = np.mgrid[0:32, 0:48]
    colour = np.stack([4 * down, 5 * across, 255 - 4 * down], -1).astype(np.uint8)
    path = encapsulated(dicom, Image.fromarray(colour), 'JPEG', quality=95)
    assert reference.difference(read_xray(path), reference.luminance(colour)) <= 8


def test_jpeg_extended_of_12_bits():
    path = get_testdata_file('JPGExtended.dcm', download=False)
    film = read_xray(path, (0, 100), dtype='float32')
    # The means of 8 x 4 fields, as pylibjpeg-libjpeg 2.2.0 decodes it, and its largest value.
    means = [
        [1.0, 4.9, 7.1, 1.0],
        [7.2, 36.3, 54.5, 12.4],
        [14.1, 33.0, 49.2, 17.3],
        [10.1, 34.4, 51.5, 14.7],
        [1.6, 23.5, 23.4, 2.0],
        [1.0, 16.0, 15.3, 1.0],
        [1.0, 11.7, 10.0, 1.0],
        [1.0, 1.0, 1.0, 1.0],
    ]
    assert film.shape == (1024, 256) and inspect_xray(path).bits == 12
    np.testing.assert_allclose(264 * film.reshape(8, 128, 4, 64).mean((1, 3)), means, atol=0.1)
    assert np.unravel_index(film.argmax(), film.shape) == (421, 143)


def test_jpeg_extended_of_too_many_frames(tmp_path):
    data = pydicom.dcmread(get_testdata_file('JPGExtended.dcm', download=False))
    data.NumberOfFrames = 1000
    data.save_as(tmp_path / 'x.dcm')
    with pytest.raises(XrayReadError, match='too many frames'):
        read_xray(tmp_path / 'x.dcm', frame=0)


@pytest.mark.parametrize('frame', [0, 1])
def test_frames_of_compressed_films(dicom, reference, film12, frame):
    frames = np.stack([film12, film12[::-1] // 3])
    path = recoded(dicom(frames, NumberOfFrames=2, BitsStored=12, HighBit=11), 'JPEG2000Lossless')
    assert reference.difference(read_xray(path, frame=frame), reference.scaled(frames[frame])) <= 1


@pytest.mark.parametrize('share', [0.3, 0.6, 0.95])
@pytest.mark.parametrize('format_', ['JPEG', 'JPEG2000'])
def test_fragment_that_was_cut_off(dicom, film12, format_, share):
    options = {'no_jp2': True} if format_ == 'JPEG2000' else {}
    path = encapsulated(dicom, Image.fromarray((film12 >> 4).astype(np.uint8)), format_, **options)
    data = pydicom.dcmread(path)
    whole = next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))
    data.PixelData = encapsulate([whole[: int(share * len(whole))]])
    data['PixelData'].VR = 'OB'
    data.save_as(path)
    with pytest.raises(XrayReadError, match='cannot be decoded'):
        inspect_xray(path)


@pytest.mark.parametrize('name', ['JPEGLosslessProcess14_1', 'JPEGLSLossless', 'JPEG2000Lossless'])
def test_file_that_was_cut_off(dicom, film12, name):
    path = recoded(dicom(np.tile(film12, (3, 3)), BitsStored=12, HighBit=11), name)
    content = path.read_bytes()
    path.write_bytes(content[: int(0.8 * len(content))])
    with pytest.raises(XrayReadError, match='cannot be decoded'):
        inspect_xray(path)


@pytest.mark.parametrize('rows', [30, 38, 60_000])
def test_header_that_does_not_fit_the_compressed_film(dicom, film12, rows):
    path = encapsulated(dicom, Image.fromarray((film12 >> 4).astype(np.uint8)), 'JPEG')
    data = pydicom.dcmread(path)
    data.Rows = rows
    data.save_as(path)
    with pytest.raises(XrayReadError, match='cannot be decoded'):
        read_xray(path)


def test_deflated_bomb(dicom, monkeypatch):
    path = rewritten(dicom(np.zeros((2000, 1000), np.uint16)), uid.DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 40_000
    assert read_xray(path).shape == (2000, 1000)
    monkeypatch.setattr('muscle_mm.datasets.io.dicom._MOST_INFLATED_BYTES', limits.MAX_PIXELS // 64)
    with pytest.raises(XrayReadError, match='too large for a radiograph'):
        read_xray(path)


@pytest.mark.parametrize(
    ('missing', 'package'),
    [
        ('gdcm - requires gdcm>=3.0.10', 'python-gdcm'),
        ('pylibjpeg - requires', 'pylibjpeg-openjpeg'),
    ],
)
def test_missing_plug_in_is_named(dicom, film12, monkeypatch, missing, package):
    path = recoded(dicom(film12, BitsStored=12, HighBit=11), 'JPEGLSLossless')
    decoder = SimpleNamespace(is_available=False, missing_dependencies=[missing])
    monkeypatch.setattr('pydicom.pixels.get_decoder', lambda syntax: decoder)
    with pytest.raises(UserError, match=f'JPEG-LS Lossless.*pip install {package}') as caught:
        read_xray(path)
    # It concerns every file of the set, and must not be taken for a damaged one.
    assert not isinstance(caught.value, XrayReadError)


def test_missing_gdcm_is_named_for_jpeg_extended(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gdcm', None)
    with pytest.raises(UserError, match=r'JPEG Extended.*pip install python-gdcm'):
        read_xray(get_testdata_file('JPGExtended.dcm', download=False))


def test_film_as_a_video_is_refused(dicom, film12):
    path = dicom(film12)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = uid.MPEG2MPML
    data.PixelData = encapsulate([b'12'])
    data['PixelData'].VR = 'OB'
    data.save_as(path)
    with pytest.raises(XrayReadError, match='transfer syntax is not supported: MPEG2'):
        read_xray(path)
