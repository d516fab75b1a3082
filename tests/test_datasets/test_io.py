# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from muscle_mm.datasets.io import XrayReadError, read_xray, scale_to_uint8

RAMP = np.arange(6 * 5, dtype=np.uint8).reshape(6, 5) * 8


def saved(image, path, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_grey_8_bit_keeps_its_values(tmp_path, suffix):
    read = read_xray(saved(Image.fromarray(RAMP), tmp_path / f'x{suffix}'))
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous and read.flags.writeable
    np.testing.assert_array_equal(read, RAMP)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA', 'P'])
def test_grey_stored_as_colour_or_palette_keeps_its_values(tmp_path, mode):
    path = saved(Image.fromarray(RAMP).convert(mode), tmp_path / 'x.png')
    np.testing.assert_array_equal(read_xray(path), RAMP)


@pytest.mark.parametrize('mode', ['L', 'RGB', 'CMYK'])
def test_jpeg(tmp_path, mode):
    flat = np.full((16, 24), 100, dtype=np.uint8)
    path = saved(Image.fromarray(flat).convert(mode), tmp_path / 'x.jpeg', quality=95)
    read = read_xray(path)
    assert read.shape == (16, 24)
    assert abs(read.astype(int) - 100).max() <= 2


def test_one_bit_picture_is_black_and_white(tmp_path):
    picture = Image.fromarray(RAMP > 100)
    assert picture.mode == '1'
    assert set(np.unique(read_xray(saved(picture, tmp_path / 'x.png')))) == {0, 255}


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_16_bit_is_scaled_between_its_percentiles(tmp_path, suffix):
    pixels = np.linspace(1000, 5000, 2000).astype(np.uint16).reshape(40, 50)
    pixels[0, 0] = 65535  # one hot pixel must not decide the contrast
    read = read_xray(saved(Image.fromarray(pixels), tmp_path / f'x{suffix}'))
    low, high = np.percentile(pixels, (0.5, 99.5))
    expected = np.clip(np.rint((pixels - low) * 255 / (high - low)), 0, 255)
    assert abs(read - expected).max() <= 1
    assert read.min() == 0 and read.max() == 255 and 120 < read.mean() < 135


def test_percentiles_can_be_chosen(tmp_path):
    pixels = np.array([[0, 1000, 2000, 4000]], dtype=np.uint16)
    path = saved(Image.fromarray(pixels), tmp_path / 'x.png')
    assert read_xray(path, percentiles=(0, 100)).tolist() == [[0, 64, 128, 255]]


def test_float_tiff(tmp_path):
    pixels = np.array([[0.0, 0.5, 1.0, np.nan]], dtype=np.float32)
    path = saved(Image.fromarray(pixels), tmp_path / 'x.tif')
    assert read_xray(path, percentiles=(0, 100)).tolist() == [[0, 128, 255, 0]]


def test_scaling_an_image_of_one_value_gives_zeros():
    assert not scale_to_uint8(np.full((3, 3), 700, dtype=np.uint16)).any()
    assert not scale_to_uint8(np.full((3, 3), np.nan)).any()


def test_scaling_keeps_contrast_that_the_percentiles_would_lose():
    pixels = np.zeros((100, 100), dtype=np.uint16)
    pixels[0, 0] = 9
    assert scale_to_uint8(pixels)[0, 0] == 255


def test_exif_rotation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(Image.fromarray(RAMP), tmp_path / 'x.jpg', exif=exif)
    assert read_xray(path).shape == RAMP.shape


def test_suffix_does_not_matter(tmp_path):
    path = saved(Image.fromarray(RAMP), tmp_path / 'x.jpeg', format='PNG')
    np.testing.assert_array_equal(read_xray(path), RAMP)


def broken(kind, tmp_path):
    path = tmp_path / 'film.png'
    if kind == 'missing':
        return path
    if kind == 'folder':
        path.mkdir()
        return path
    saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)), path)
    content = path.read_bytes()
    if kind == 'zero bytes':
        content = b''
    elif kind == 'truncated':
        content = content[: len(content) // 2]
    elif kind == 'text':
        content = b'this is no picture'
    elif kind == 'gif':
        path.unlink()
        saved(Image.fromarray(RAMP), path, format='GIF')
        content = path.read_bytes()
    elif kind == 'frames':
        frame = Image.fromarray(RAMP)
        frame.save(path, format='TIFF', save_all=True, append_images=[frame])
        content = path.read_bytes()
    elif kind == 'bomb':
        # A header that promises 400,000 x 400,000 pixels.
        header = b'IHDR' + struct.pack('>II', 400_000, 400_000) + content[24:29]
        content = content[:12] + header + struct.pack('>I', zlib.crc32(header)) + content[33:]
    elif kind == 'text.dcm':
        path = path.with_suffix('.dcm')
        content = b'this is no film'
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ('kind', 'reason'),
    [
        ('missing', 'does not exist'),
        ('folder', 'is a folder'),
        ('zero bytes', 'empty'),
        ('truncated', 'damaged or truncated'),
        ('text', 'not a PNG, JPEG, TIFF or DICOM'),
        ('gif', 'not a PNG, JPEG, TIFF or DICOM'),
        ('frames', '2 frames, expected one'),
        ('bomb', 'too large'),
        ('text.dcm', 'not a DICOM file'),
    ],
)
def test_unusable_file_gives_path_and_reason(tmp_path, kind, reason):
    path = broken(kind, tmp_path)
    with pytest.raises(XrayReadError, match=reason) as caught:
        read_xray(path)
    assert str(path) in str(caught.value)
    assert caught.value.path == str(path)


def test_error_survives_the_way_out_of_a_process():
    error = pickle.loads(pickle.dumps(XrayReadError('a.png', 'it is empty')))
    assert (error.path, error.reason) == ('a.png', 'it is empty')
    assert str(error) == 'cannot read the radiograph a.png: it is empty'


def test_dicom_without_window_uses_percentiles(dicom):
    pixels = np.linspace(300, 900, 3000).astype(np.uint16).reshape(50, 60)
    np.testing.assert_array_equal(read_xray(dicom(pixels)), scale_to_uint8(pixels))


def test_dicom_window(dicom):
    pixels = np.array([[0, 100, 150, 200, 4000]], dtype=np.uint16)
    read = read_xray(dicom(pixels, BitsStored=12, HighBit=11, WindowCenter=150, WindowWidth=101))
    # The standard's linear window runs from center - 0.5 - (width - 1) / 2.
    assert read.tolist() == [[0, 1, 129, 255, 255]]


def test_dicom_window_that_the_pixels_do_not_fill(dicom):
    pixels = np.array([[100, 150]], dtype=np.uint16)
    read = read_xray(dicom(pixels, WindowCenter=150, WindowWidth=201))
    assert read.tolist() == [[64, 128]]


def test_dicom_first_of_several_windows(dicom):
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    path = dicom(pixels, WindowCenter=[100, 1000], WindowWidth=[201, 50])
    assert read_xray(path).tolist() == [[1, 128, 255]]


@pytest.mark.parametrize('width', [0, 1])
def test_dicom_unusable_window_falls_back_to_percentiles(dicom, width):
    pixels = np.arange(100, dtype=np.uint16).reshape(10, 10)
    path = dicom(pixels, WindowCenter=5, WindowWidth=width)
    np.testing.assert_array_equal(read_xray(path), scale_to_uint8(pixels))


def test_dicom_rescale_comes_before_the_window(dicom):
    pixels = np.array([[0, 50, 100]], dtype=np.uint16)
    path = dicom(pixels, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=0, WindowWidth=201)
    assert read_xray(path).tolist() == [[1, 128, 255]]


def test_dicom_signed_pixels(dicom):
    pixels = np.array([[-100, 0, 100]], dtype=np.int16)
    assert read_xray(dicom(pixels, WindowCenter=0, WindowWidth=201)).tolist() == [[1, 128, 255]]


def test_dicom_monochrome1_is_inverted(dicom):
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    window = {'WindowCenter': 100, 'WindowWidth': 201}
    path = dicom(pixels, PhotometricInterpretation='MONOCHROME1', **window)
    assert read_xray(path).tolist() == [[254, 127, 0]]


def test_dicom_sigmoid_window_is_bounded_and_rising(dicom):
    pixels = np.arange(0, 1000, 10, dtype=np.uint16).reshape(1, -1)
    path = dicom(pixels, WindowCenter=500, WindowWidth=400, VOILUTFunction='SIGMOID')
    read = read_xray(path).astype(int)[0]
    assert (np.diff(read) >= 0).all()
    assert read[0] < 5 and read[-1] > 250 and abs(read[50] - 128) <= 1


def test_dicom_voi_lookup_table(dicom):
    pydicom = pytest.importorskip('pydicom')
    table = pydicom.Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table['LUTDescriptor'].VR = 'US'
    table.LUTData = [0, 1000, 3000, 4000]
    table['LUTData'].VR = 'US'
    pixels = np.array([[0, 1, 2, 3, 9]], dtype=np.uint16)
    path = dicom(pixels, VOILUTSequence=pydicom.Sequence([table]))
    assert read_xray(path).tolist() == [[0, 64, 191, 255, 255]]


def test_dicom_colour_becomes_grey(dicom):
    path = dicom(
        np.zeros((2, 3), np.uint8),
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation='RGB',
        PixelData=np.repeat(np.array([0, 50, 100, 150, 200, 255], np.uint8), 3).tobytes(),
    )
    assert read_xray(path).tolist() == [[0, 50, 100], [150, 200, 255]]


def test_dicom_of_several_frames_is_refused(dicom):
    path = dicom(np.zeros((3, 4, 4), np.uint16), NumberOfFrames=3)
    with pytest.raises(XrayReadError, match='3 frames, expected one'):
        read_xray(path)


def test_dicom_without_pixels_is_refused(dicom):
    with pytest.raises(XrayReadError, match='no pixel data'):
        read_xray(dicom(None))


def test_dicom_with_too_little_pixel_data_is_refused(dicom):
    path = dicom(np.zeros((4, 4), np.uint16), Rows=400)
    with pytest.raises(XrayReadError, match='cannot be decoded'):
        read_xray(path)


def test_dicom_without_suffix_is_recognised(dicom):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert read_xray(dicom(pixels, name='IM0001')).shape == (3, 4)
