# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Predict films with a trained model: ``python tools/predict.py CHECKPOINT FILMS --out DIR``.

CHECKPOINT is a file of step 3, or of step 2 with --task. Its config is in it and is read as plain
data; nothing in a checkpoint is executed. FILMS are files and folders (with all folders below) of
PNG, JPEG, TIFF and DICOM, mixed. They are read, resized and normalised as in the test of the model.
DIR gets

    predictions.csv     a row for each film (of a detector: for each box), written film by film
    predictions.json    the same with all digits, and threshold and classes; once all is done
    pictures/           a PNG for each film, under the film's own path
    masks/              of a segmentation model: a PNG of the film's size

A film that cannot be read has the reason in the column problem, and the run goes on.

Exit status: 0; 1 if no film could be predicted, or after another error.
"""

import argparse
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.locked_folder import locked_folder
from muscle_mm.utils.parallel import worker_count


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    title, text = __doc__.split('\n', 1)
    parser = argparse.ArgumentParser(
        description=title, epilog=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path, help='trained model')
    parser.add_argument('films', type=Path, nargs='+', help='files and folders')
    parser.add_argument('--out', type=Path, required=True, help='folder for tables and pictures')
    parser.add_argument(
        '--overwrite', action='store_true', help='write into a folder that is not empty'
    )
    parser.add_argument(
        '--config', type=Path, help='config file to use in place of the one in the checkpoint'
    )
    parser.add_argument('--task', help='the task, for a model of step 2')
    parser.add_argument(
        '--threshold',
        type=_share,
        help='probability of class 1 of two from which on a film is called that (default: as the '
        'test of the model, 0.5 in the configs)',
    )
    parser.add_argument(
        '--score-threshold',
        type=_share,
        default=0.3,
        help='boxes of a lower score are left out (default: 0.3)',
    )
    parser.add_argument('--no-pictures', action='store_true', help='only tables, and masks: faster')
    parser.add_argument(
        '--inverted',
        metavar='PATTERN',
        help='names of PNG and TIFF files that store bone dark, for example "*MONOCHROME1*"',
    )
    parser.add_argument('--frame', type=int, help='frame to use, from 0, of files with several')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ... (default: a GPU if there is one)')
    parser.add_argument('--batch-size', type=int, default=8, help='films in a batch (default: 8)')
    parser.add_argument(
        '--workers', type=int, help='processes that read films (default: one a processor)'
    )
    return parser.parse_args()


def _share(text: str) -> float:
    """Read a number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text} is not from 0 to 1')
    return value


def main() -> None:
    """Predict."""
    arguments = parse_arguments()
    workers = worker_count(arguments.workers)
    if arguments.batch_size < 1:
        raise UserError(f'--batch-size {arguments.batch_size} must be at least 1.')
    if arguments.frame is not None and arguments.frame < 0:
        raise UserError(f'--frame {arguments.frame} must be counted from 0.')
    out = arguments.out
    if out.exists() and not arguments.overwrite and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f'{out} is not an empty folder. Choose another --out, or add --overwrite.')

    from muscle_mm.prediction.film_files import find_films

    files = find_films(arguments.films, out)

    # torch is imported only once there are films.
    from mmengine.device import get_device

    from muscle_mm.pipeline.devices import require_gpu_operators
    from muscle_mm.prediction.film_reader import FilmReader
    from muscle_mm.prediction.predict_films import predict_films
    from muscle_mm.prediction.task_outputs import build_output
    from muscle_mm.prediction.trained_model import load_trained_model

    device = arguments.device or get_device()
    trained = load_trained_model(arguments.checkpoint, arguments.config, arguments.task, device)
    require_gpu_operators(trained.model, device)
    output = build_output(trained, arguments.threshold, arguments.score_threshold)
    reader = FilmReader(trained.pipeline, arguments.inverted, arguments.frame, trained.cache)
    out.mkdir(parents=True, exist_ok=True)
    with locked_folder(out):
        predicted = predict_films(
            files,
            reader,
            output,
            out,
            arguments.batch_size,
            workers,
            pictures=not arguments.no_pictures,
        )
    print(f'{predicted} of {len(files)} films predicted: {out / "predictions.csv"}')
    if not predicted:
        raise UserError(f'no film could be read. The reasons are in {out / "predictions.csv"}.')


if __name__ == '__main__':
    run_command(main)
