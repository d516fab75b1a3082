# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import contextlib
import io

import numpy as np
import pytest

from muscle_mm.evaluation import ClassBoxes, DetectionPredictions
from muscle_mm.utils.errors import UserError

pytest.importorskip('pycocotools', reason='needs pycocotools')
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = ('active', 'latent')
SIDE = 10.0  # of every box; boxes lie apart, and what is matched lies on its true box


def random_films(count=7, seed=0):
    """Films, of which one's scores often equal another's; some without any boxes."""
    generator = np.random.default_rng(seed)
    films = []
    for _ in range(count):
        classes = []
        for _ in CLASSES:
            true_boxes, wrong = (int(generator.integers(0, 4)) for _ in range(2))
            right = int(generator.integers(0, true_boxes + 1))
            scores = generator.choice(8, right + wrong, replace=False) / 10
            order = np.argsort(-scores, kind='stable')
            matched = np.arange(right + wrong) < right
            classes.append(
                ClassBoxes(
                    true_boxes, tuple(scores[order].tolist()), tuple(matched[order].tolist())
                )
            )
        films.append(tuple(classes))
    return films


def predictions_of(films):
    return DetectionPredictions(
        tuple(f'{number}.png' for number in range(len(films))),
        tuple(f'p{number // 2}' for number in range(len(films))),
        CLASSES,
        tuple(films),
    )


def pycocotools_precisions(films):
    """AP of each class at IoU 0.5, from boxes that are laid out anew."""
    annotations, found = [], []
    for image, film in enumerate(films, 1):
        for category, one in enumerate(film):
            row = 100.0 * category
            true = [[20.0 * place, row, SIDE, SIDE] for place in range(one.true_boxes)]
            annotations += [
                dict(
                    id=len(annotations) + place + 1,
                    image_id=image,
                    category_id=category,
                    bbox=box,
                    area=SIDE * SIDE,
                    iscrowd=0,
                )
                for place, box in enumerate(true)
            ]
            free = iter(true)
            for place, (score, hit) in enumerate(zip(one.scores, one.matched, strict=True)):
                box = next(free) if hit else [20.0 * place, row + 50, SIDE, SIDE]
                found.append(dict(image_id=image, category_id=category, bbox=box, score=score))
    truth = COCO()
    truth.dataset = dict(
        info={},
        images=[dict(id=image + 1) for image in range(len(films))],
        annotations=annotations,
        categories=[dict(id=index, name=name) for index, name in enumerate(CLASSES)],
    )
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), 'bbox')
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval['precision'][0, :, :, 0, -1]
    return [column.mean() if (column > -1).all() else np.nan for column in precision.T]


@pytest.mark.parametrize('seed', range(8))
def test_all_films_have_the_average_precision_of_pycocotools(seed):
    films = random_films(seed=seed)
    every = np.ones((1, len(films)), dtype=int)
    found = predictions_of(films).average_precisions(every)[0]
    expected = pycocotools_precisions(films)
    assert 0 < np.nanmean(expected) < 1
    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert predictions_of(films).main_scores(every)[0] == pytest.approx(np.nanmean(expected))


def test_a_resample_has_that_of_its_films():
    # Of equal scores the order counts: copies of a film are together here, too.
    films = random_films(9, seed=3)
    counts = np.random.default_rng(1).multinomial(9, np.full(9, 1 / 9), size=12)
    found = predictions_of(films).average_precisions(counts)
    for row, drawn in zip(found, counts, strict=True):
        chosen = [film for film, number in zip(films, drawn, strict=True) for _ in range(number)]
        assert row == pytest.approx(pycocotools_precisions(chosen), abs=1e-9, nan_ok=True)


def test_no_prediction_is_zero_and_no_true_box_is_nan():
    films = predictions_of([(ClassBoxes(2), ClassBoxes(0, (0.9,), (False,)))])
    assert films.average_precisions(np.array([[1], [0]])) == pytest.approx(
        np.array([[0, np.nan], [np.nan, np.nan]]), nan_ok=True
    )
    assert films.main_scores(np.array([[1], [0]])) == pytest.approx([0, np.nan], nan_ok=True)
    assert predictions_of([]).main_scores(np.ones((2, 0), int)).shape == (2,)


def test_a_table_comes_back_exactly(tmp_path):
    films = predictions_of(random_films())
    films.write(tmp_path / 'rows.csv')
    assert DetectionPredictions.read(tmp_path / 'rows.csv') == films
    one = DetectionPredictions(
        ('a.png',), ('',), CLASSES, ((ClassBoxes(1, (0.1 + 0.2, 1e-30), (True, False)),) * 2,)
    )
    one.write(tmp_path / 'rows.csv')
    assert (tmp_path / 'rows.csv').read_text().splitlines() == [
        'image,patient,class,true_boxes,scores,matched',
        'a.png,,active,1,0.30000000000000004 1e-30,1 0',
        'a.png,,latent,1,0.30000000000000004 1e-30,1 0',
    ]
    assert DetectionPredictions.read(tmp_path / 'rows.csv') == one


def test_strata_keep_what_films_show():
    films = predictions_of([(ClassBoxes(a), ClassBoxes(b)) for a, b in [(0, 0), (2, 0), (1, 1)]])
    assert films.strata() == ['', 'active', 'active and latent']
    assert films.truths() == [(0, 0), (2, 0), (1, 1)]
    assert films.take([2, 1]).images == ('2.png', '1.png')


HEAD = 'image,patient,class,true_boxes,scores,matched\n'


@pytest.mark.parametrize(
    'text',
    [
        '',
        'image,patient,study,label,score\n',
        HEAD + 'a,p,active,1,0.5\n',
        HEAD + 'a,p,active,1,0.5,2\n',
        HEAD + 'a,p,active,1,0.5 0.4,1\n',
        HEAD + 'a,p,active,one,0.5,1\n',
        HEAD + 'a,p,active,1,,\na,p,latent,1,,\nb,p,active,1,,\n',
        HEAD + 'a,p,active,1,,\nb,p,latent,1,,\n',
        HEAD + 'a,p,active,1,0.5,1',
    ],
)
def test_other_and_broken_tables_are_refused(tmp_path, text):
    path = tmp_path / 'other.csv'
    path.write_text(text)
    with pytest.raises(UserError, match=r'other\.csv cannot be read as a table of predictions'):
        DetectionPredictions.read(path)
