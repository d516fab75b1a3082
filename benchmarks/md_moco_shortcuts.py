# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Does MD-MoCo learn films, or a shortcut? ``python benchmarks/md_moco_shortcuts.py DATA_ROOT``.

Trains a small MDMoCo on a prepared set and then measures its loss four times, on the same 64 films:
negatives from its queue or made anew by the momentum encoder of this moment, and each key with the
BatchNorm statistics of the batch of its query or of other films. A loss that is lower with the
queue tells old keys by their age; one that is lower in the query's batch tells keys by their
statistics. The queue also holds other views of the probed films, harder negatives that those made
anew leave out, so that the age shortcut that is measured is a lower bound.
"""

import argparse
import math

import torch
from mmengine.dataset import Compose
from mmengine.logging import MMLogger
from torch import Tensor

from muscle_mm.datasets import XrayDataset
from muscle_mm.models import MDMoCo
from muscle_mm.models.info_nce import info_nce
from muscle_mm.models.shuffled_encoding import encode_shuffled
from muscle_mm.registry import MODELS

BATCH, PROBED, WIDTH = 32, 64, 16


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('data_root', help='folder that tools/prepare_dataset.py wrote')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--size', type=int, default=48, help='side of a view in pixels')
    parser.add_argument('--queue-len', type=int, default=1024)
    parser.add_argument('--momentum', type=float, default=0.99)
    parser.add_argument('--bn-splits', type=int, default=1)
    parser.add_argument('--crop-scale', type=float, default=0.2, help='smallest area of a crop')
    parser.add_argument('--lr', type=float, default=1e-3)
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def build(arguments: argparse.Namespace) -> MDMoCo:
    """Build a ResNet-18 with a quarter of the channels, to be trained with MDMoCo."""
    model = MODELS.build(
        dict(
            type='muscle_mm.MDMoCo',
            backbone=dict(
                type='mmpretrain.ResNet',
                depth=18,
                base_channels=WIDTH,
                stem_channels=WIDTH,
                zero_init_residual=False,
            ),
            neck=dict(
                type='mmpretrain.MoCoV2Neck',
                in_channels=8 * WIDTH,
                hid_channels=8 * WIDTH,
                out_channels=128,
            ),
            queue_len=arguments.queue_len,
            momentum=arguments.momentum,
            bn_splits=arguments.bn_splits,
            channels_last=True,
            data_preprocessor=dict(type='muscle_mm.ViewsDataPreprocessor', mean=130, std=58),
        )
    )
    model.init_weights()
    model.updated_by_hook = True
    return model.train()


class Films:
    """The set's films in memory, and random views of them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        side = arguments.size * 4 // 3
        dataset = XrayDataset(arguments.data_root, pipeline=[dict(type='muscle_mm.LoadXray')])
        resize = torch.nn.functional.interpolate
        self.films = []
        for sample in dataset:
            film = torch.from_numpy(sample['img'])[None, None].float()
            small = resize(film, (side, side), mode='bilinear', antialias=True)
            self.films.append(small[0, 0].round().byte().numpy())
        views = dict(
            type='muscle_mm.XrayViews', size=arguments.size, crop_scale=(arguments.crop_scale, 1.0)
        )
        self.views = Compose([views])

    def batch(self, indices: list[int]) -> list[Tensor]:
        """Draw two views of each film, (N, 1, H, W) uint8."""
        samples = [self.views(dict(img=self.films[index]))['inputs'] for index in indices]
        return [torch.stack(view) for view in zip(*samples, strict=True)]


@torch.no_grad()
def losses(model: MDMoCo, films: Films) -> dict[tuple[str, str], float]:
    """Measure the loss with both kinds of negatives and of statistics; the model stays as it is."""
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    order = torch.randperm(len(films.films)).tolist()
    probed, rest = order[:PROBED], order[PROBED:]

    def keys_of(views: Tensor) -> Tensor:
        return encode_shuffled(model._encode_keys, views, model.bn_splits, model.iteration)

    def prepared(indices: list[int]) -> list[Tensor]:
        return model.data_preprocessor(dict(inputs=films.batch(indices)), True)['inputs']

    query_views, key_views = prepared(probed)
    queries = torch.cat(
        [model._encode(model.backbone, model.neck, part) for part in query_views.split(BATCH)]
    )
    others = prepared(rest[: BATCH - 1])[1]
    keys = {
        "the query's": torch.cat([keys_of(part) for part in key_views.split(BATCH)]),
        "other films'": torch.stack(
            [keys_of(torch.cat([view[None], others]))[0] for view in key_views]
        ),
    }
    starts = range(0, len(model.queue.keys), BATCH)
    drawn = [[rest[(i + start) % len(rest)] for i in range(BATCH)] for start in starts]
    fresh = torch.cat([keys_of(prepared(indices)[1]) for indices in drawn])
    negatives = {'queue': model.queue.keys, 'made anew': fresh[: len(model.queue.keys)]}
    measured = {
        (source, batch): info_nce(queries, own, held, model.temperature).loss.mean().item()
        for source, held in negatives.items()
        for batch, own in keys.items()
    }
    for name, value in model.named_buffers():
        value.copy_(buffers[name])
    return measured


def main() -> None:
    """Train and measure."""
    arguments = parse_arguments()
    MMLogger.get_instance('mmengine', log_level='ERROR')
    torch.manual_seed(arguments.seed)
    films, model = Films(arguments), build(arguments)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.lr, weight_decay=0.01)
    highest = math.log(arguments.queue_len + 1)
    print(f'{len(films.films)} films; a loss of {highest:.2f} is chance. {vars(arguments)}')
    print('| step | negatives | statistics of the key | loss |\n|---|---|---|---|')
    order: list[int] = []
    for step in range(arguments.steps):
        if len(order) < BATCH:
            order = torch.randperm(len(films.films)).tolist()
        indices, order = order[:BATCH], order[BATCH:]
        factor = min(1.0, (step + 1) / 20) * (1 + math.cos(math.pi * step / arguments.steps)) / 2
        for group in optimizer.param_groups:
            group['lr'] = arguments.lr * factor
        data = model.data_preprocessor(dict(inputs=films.batch(indices)), True)
        optimizer.zero_grad()
        model(**data, mode='loss')['loss'].backward()
        optimizer.step()
        model.update()
        if step + 1 in (arguments.steps // 2, arguments.steps):
            for (source, batch), loss in losses(model, films).items():
                print(f'| {step + 1} | {source} | {batch} | {loss:.2f} |', flush=True)


if __name__ == '__main__':
    main()
