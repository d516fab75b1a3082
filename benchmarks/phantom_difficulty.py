# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measures how hard the phantoms' labels are: for the mean, a pixel, a linear model and a CNN.

The findings should be learnable and not trivial. The held-out films are phantoms of another seed,
so that no patient is in both.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torchvision.models import resnet18

from muscle_mm.phantoms import write_phantoms

POSITIVE = {
    'PneumoniaCXR': lambda path: path.parent.name == 'PNEUMONIA',
    'MURA': lambda path: path.parent.name.endswith('positive'),
}
"""How the path of a film tells its label, by set."""

HELD_OUT_SEED = 1000
"""Added to the seed of the training films."""

Films = tuple[np.ndarray, np.ndarray]
"""Films (number, side, side) uint8, and labels 0 or 1."""


def load_films(
    out: Path, name: str, count: int, size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a set's phantoms and read them as small squares.

    Args:
        out (Path): The folder for the phantoms.
        name (str): The set.
        count (int): Films.
        size (int): Side of the squares.
        seed (int): The seed of the phantoms.

    Returns:
        tuple[np.ndarray, np.ndarray]: Films (number, size, size) uint8, and labels.
    """
    root = write_phantoms(out / str(seed), {name: count}, seed=seed, sets=[name])[name]
    paths = sorted(path for path in root.rglob('*') if path.suffix in ('.png', '.jpeg'))
    films = np.stack(
        [
            np.asarray(Image.open(path).convert('L').resize((size, size), Image.Resampling.BOX))
            for path in paths
        ]
    )
    return films, np.array([POSITIVE[name](path) for path in paths], int)


def build_model(name: str) -> nn.Module:
    """Build a CNN with random weights.

    Args:
        name (str): 'resnet18', or 'small' for four convolutions with 0.1 million weights.

    Returns:
        nn.Module: From (number, 1, H, W) to (number, 1).
    """
    if name == 'resnet18':
        model = resnet18(num_classes=1)
        model.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        return model
    layers: list[nn.Module] = []
    widths = (1, 16, 32, 64, 128)
    for index, (before, after) in enumerate(itertools.pairwise(widths)):
        kernel, stride = (5, 2) if index == 0 else (3, 1)
        layers += [
            nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
        if 0 < index < len(widths) - 2:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1))


def shrink(films: np.ndarray, size: int) -> np.ndarray:
    """Shrink square films and lay each out as one row.

    Args:
        films (np.ndarray): (number, side, side) uint8.
        size (int): The new side.

    Returns:
        np.ndarray: (number, size * size) float32.
    """
    small = nn.functional.interpolate(
        torch.from_numpy(films)[:, None].float(), (size, size), mode='area'
    )
    return small.flatten(1).numpy()


def linear_auc(train: Films, held_out: Films, size: int) -> float:
    """Train logistic regressions on raw pixels and return the best held-out AUC.

    The penalty is chosen on the held-out films themselves, which flatters the linear model: a low
    figure then says the more.

    Args:
        train (Films): Films and labels to train on.
        held_out (Films): Films and labels to measure on.
        size (int): Side to which the films are shrunk.

    Returns:
        float: Area under the ROC curve.
    """
    rows, held_out_rows = shrink(train[0], size), shrink(held_out[0], size)
    scores = []
    for strength in (1e-5, 1e-4, 1e-3, 1e-2):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=200))
        model.fit(rows, train[1])
        scores.append(roc_auc_score(held_out[1], model.decision_function(held_out_rows)))
    return max(scores)


def cnn_auc(
    train: Films, held_out: Films, model: nn.Module, epochs: int, rate: float
) -> tuple[float, float]:
    """Train a CNN from scratch and return its held-out AUC.

    Args:
        train (Films): Films and labels to train on.
        held_out (Films): Films and labels to measure on.
        model (nn.Module): The CNN.
        epochs (int): Passes over the training films.
        rate (float): Highest learning rate.

    Returns:
        tuple[float, float]: Area under the ROC curve, and the seconds of training.
    """
    inputs, targets = normalise(train[0]), torch.from_numpy(train[1]).float()
    batch = 16
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01)
    steps = epochs * (len(inputs) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    started = time.monotonic()
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for first in range(0, len(order) - batch + 1, batch):
            picks = order[first : first + batch]
            films = inputs[picks]
            if torch.rand(()) < 0.5:
                films = films.flip(3)
            scores = model(films)[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(scores, targets[picks])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    seconds = time.monotonic() - started
    model.eval()
    with torch.no_grad():
        scores = torch.cat([model(films)[:, 0] for films in normalise(held_out[0]).split(32)])
    return roc_auc_score(held_out[1], scores.numpy()), seconds


def normalise(films: np.ndarray) -> torch.Tensor:
    """Shift and scale each film to mean 0 and deviation 1.

    Args:
        films (np.ndarray): (number, side, side) uint8.

    Returns:
        torch.Tensor: (number, 1, side, side) float32.
    """
    pixels = torch.from_numpy(films)[:, None].float()
    return (pixels - pixels.mean((2, 3), keepdim=True)) / pixels.std((2, 3), keepdim=True)


def two_sided(auc: float) -> float:
    """Return the AUC of a score whose sign may be turned.

    Args:
        auc (float): Area under the ROC curve.

    Returns:
        float: At least 0.5.
    """
    return max(auc, 1 - auc)


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--films', type=int, default=400, help='to train on (default: 400)')
    parser.add_argument('--held-out', type=int, default=300, help='films (default: 300)')
    parser.add_argument('--size', type=int, default=96, help='side for the CNN (default: 96)')
    parser.add_argument('--model', choices=('small', 'resnet18'), default='small')
    parser.add_argument('--epochs', type=int, default=16, help='of the CNN (default: 16)')
    parser.add_argument('--rate', type=float, default=3e-3, help='learning rate (default: 0.003)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='default: 0')
    parser.add_argument('--sets', nargs='+', choices=POSITIVE, default=list(POSITIVE))
    parser.add_argument('--keep', type=Path, help='folder for the phantoms (default: temporary)')
    args = parser.parse_args()
    print('| set | seed | mean | best pixel | linear 32 | linear 64 | CNN | seconds |')
    print('|---|---|---|---|---|---|---|---|')
    for seed, name in itertools.product(args.seeds, args.sets):
        with tempfile.TemporaryDirectory() as temporary:
            out = args.keep or Path(temporary)
            train = load_films(out, name, args.films, args.size, seed)
            held_out = load_films(out, name, args.held_out, args.size, seed + HELD_OUT_SEED)
        rows, held_out_rows = shrink(train[0], 32), shrink(held_out[0], 32)
        mean = two_sided(roc_auc_score(held_out[1], held_out_rows.mean(1)))
        on_train = [two_sided(roc_auc_score(train[1], column)) for column in rows.T]
        pixel = two_sided(roc_auc_score(held_out[1], held_out_rows[:, int(np.argmax(on_train))]))
        linear = [linear_auc(train, held_out, size) for size in (32, 64)]
        torch.manual_seed(seed)
        model = build_model(args.model)
        auc, seconds = cnn_auc(train, held_out, model, args.epochs, args.rate)
        figures = ' | '.join(f'{100 * value:.1f}' for value in (mean, pixel, *linear, auc))
        print(f'| {name} | {seed} | {figures} | {seconds:.0f} |', flush=True)


if __name__ == '__main__':
    main()
