# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import hashlib
import io
from enum import Enum
from types import SimpleNamespace

import pytest
import torch

from muscle_mm.utils.errors import UserError
from muscle_mm.utils.published_weights import published_file, published_weights

torchvision = pytest.importorskip('torchvision')


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of torch.hub."""
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    folder = tmp_path / 'hub' / 'checkpoints'
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def no_internet(monkeypatch):
    def fail(*arguments, **options):
        raise OSError('no route')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', fail)


@pytest.mark.parametrize(
    ('name', 'file'),
    [('resnet18', 'resnet18-f37072fd.pth'), ('resnet50', 'resnet50-0676ba61.pth')],
)
def test_the_weights_are_the_first_that_torchvision_published(hub, name, file):
    assert published_file(name) == hub / file


def test_without_internet_the_file_and_its_place_are_named(hub, no_internet):
    with pytest.raises(UserError) as raised:
        published_weights('resnet18')
    message = str(raised.value)
    assert f'{hub / "resnet18-f37072fd.pth"} does not exist' in message
    assert 'Download https://download.pytorch.org/models/resnet18-f37072fd.pth' in message
    assert 'init_cfg.checkpoint=PATH' in message


def test_a_file_with_another_hash_is_refused(hub):
    torch.save({'conv1.weight': torch.ones(2)}, hub / 'resnet18-f37072fd.pth')
    with pytest.raises(UserError, match='does not begin with f37072fd'):
        published_weights('resnet18')


def publish(monkeypatch, weights):
    """Let torchvision publish other weights, and give their file."""
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    address = f'https://example.org/models/resnet18-{digest[:8]}.pth'

    class Published(Enum):
        IMAGENET1K_V1 = SimpleNamespace(url=address)

        @property
        def url(self):
            return self.value.url

    monkeypatch.setattr(torchvision.models, 'get_model_weights', lambda name: Published)
    return address, buffer.getvalue()


def test_a_file_that_is_there_is_taken(hub, no_internet, monkeypatch):
    address, content = publish(monkeypatch, {'conv1.weight': torch.ones(2)})
    path = hub / address.rpartition('/')[2]
    path.write_bytes(content)
    assert published_weights('resnet18') == path


def test_a_file_that_is_missing_is_downloaded_with_its_hash(hub, monkeypatch):
    address, content = publish(monkeypatch, {'conv1.weight': torch.ones(2)})
    asked = []

    def download(url, target, hash_prefix):
        asked.append((url, hash_prefix))
        with open(target, 'wb') as file:
            file.write(content)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    path = published_weights('resnet18')
    assert path.read_bytes() == content
    assert asked == [(address, path.stem.rpartition('-')[2])]


def test_an_unknown_network_is_named():
    with pytest.raises(UserError, match=r'torchvision://resnet17: torchvision has no ImageNet'):
        published_weights('resnet17')
