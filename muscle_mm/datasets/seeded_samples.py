# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Samples that depend on the seed of the run and on their index, and on nothing else."""

from contextlib import AbstractContextManager, nullcontext

from muscle_mm.utils.random_state import seeded


class SeededSamples:
    """Mixin of data sets whose samples do not depend on who loads them, and when.

    The seed is that of the run (``randomness.seed``): mmengine gives it to the sampler, and the
    sampler to the data set, before any worker starts. An index then stands for a place and an
    epoch, ``epoch * len(dataset) + place``, and each index has a random stream of its own: a sample
    is the same with any number of workers, and after a resume.

    Without a seed, as under a sampler that does not know of this, a sample is drawn from the global
    generators. Otherwise the views of a film would be the same in every epoch.
    """

    _run_seed: int | None = None

    def seed_samples(self, seed: int) -> None:
        """Take the seed of the run.

        Args:
            seed (int): The same on every process.
        """
        self._run_seed = seed

    def random_stream(self, index: int) -> AbstractContextManager[None]:
        """Give the context in which a sample is drawn.

        Args:
            index (int): ``epoch * len(dataset) + place``.

        Returns:
            AbstractContextManager: Python's, NumPy's and torch's generators are seeded within it.
        """
        return nullcontext() if self._run_seed is None else seeded(self._run_seed, index)
