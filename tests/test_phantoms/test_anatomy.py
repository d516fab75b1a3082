# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from muscle_mm.phantoms.bone import Bone
from muscle_mm.phantoms.canvas import Canvas
from muscle_mm.phantoms.chest import render_chest
from muscle_mm.phantoms.chest_build import ChestBuild
from muscle_mm.phantoms.finding import Finding
from muscle_mm.phantoms.limb_build import LimbBuild
from muscle_mm.phantoms.limb_film import VIEWS, render_limb
from muscle_mm.phantoms.lung_findings import KINDS
from muscle_mm.phantoms.pose import Pose


def draw_chest(seed: int, *findings: Finding):
    rng = np.random.default_rng(seed)
    return render_chest(ChestBuild.draw(rng), rng, 96, 112, findings)


@pytest.mark.parametrize('seed', range(3))
def test_lungs_are_dark(seed: int) -> None:
    film = draw_chest(seed)
    lungs = film.left_lung | film.right_lung
    assert film.pixels.shape == lungs.shape == (96, 112)
    assert film.pixels.dtype == np.float32
    assert film.pixels.min() >= 0 and film.pixels.max() <= 1
    assert not (film.left_lung & film.right_lung).any()
    middle = film.pixels[40:70, 53:59]
    assert film.pixels[lungs].mean() < middle.mean()
    assert film.boxes == ()


@pytest.mark.parametrize('kind', KINDS)
def test_every_finding_has_a_box_on_its_side(kind: str) -> None:
    for seed in range(4):
        for side, lung in ((1, 'left_lung'), (-1, 'right_lung')):
            film = draw_chest(seed, Finding(kind, side=side))
            (found,) = film.boxes
            left, top, right, bottom = found.box
            assert found.kind == kind
            assert 0 <= left < right <= 112 and 0 <= top < bottom <= 96
            assert getattr(film, lung)[top:bottom, left:right].any()


def test_a_finding_makes_its_box_denser() -> None:
    canvas = Canvas(64, 64, Pose(), np.random.default_rng(0))
    lungs = dict.fromkeys((-1, 1), 0.3 - np.hypot(canvas.x, canvas.y))
    from muscle_mm.phantoms.lung_findings import add_finding

    found = add_finding(canvas, lungs, Finding('consolidation'), np.random.default_rng(1))
    assert found is not None
    left, top, right, bottom = found.box
    inside = canvas.attenuation[top:bottom, left:right].sum()
    assert inside > 0.8 * canvas.attenuation.sum() > 0


@pytest.mark.parametrize('view', VIEWS)
@pytest.mark.parametrize('finding', [None, 'fracture', 'hardware', 'fixed'])
def test_every_part_of_the_arm(view: str, finding: str | None) -> None:
    rng = np.random.default_rng(5)
    film = render_limb(view, LimbBuild.draw(rng), rng, 72, 56, finding)
    assert film.shape == (72, 56)
    assert film.dtype == np.float32
    assert np.isfinite(film).all() and film.std() > 0.02


def test_an_unknown_part_is_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no film view 'FOOT': choose one of ELBOW"):
        render_limb('FOOT', LimbBuild.draw(rng), rng, 40, 40)


def test_cortex_is_brighter_than_marrow() -> None:
    canvas = Canvas(100, 100, Pose(), np.random.default_rng(0))
    Bone((0, -0.9), (0, 0.9), 0.3, 0.35, 0.35).draw(canvas)
    row = canvas.attenuation[50]
    assert row[[50 - 12, 50 + 11]].min() > 1.2 * row[47:53].mean()
    assert row[:30].max() == 0


@pytest.mark.parametrize('mirror', [False, True])
def test_body_points_are_where_their_coordinates_say(mirror: bool) -> None:
    pose = Pose((0.3, -0.2), 1.4, 0.5, mirror)
    canvas = Canvas(90, 70, pose, np.random.default_rng(0))
    point = (float(canvas.x[20, 50]), float(canvas.y[20, 50]))
    np.testing.assert_allclose(canvas.to_pixels([point])[0], (50.5, 20.5), atol=1e-3)
    assert canvas.window([(9.0, 9.0)], 0.1) is None
