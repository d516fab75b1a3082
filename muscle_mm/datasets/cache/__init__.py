# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Films of a set, decoded and shrunk once, in one file that all workers map into memory."""

from .build import build_cache
from .lookup import cached_films
from .mapped_pixels import CachedFilm
from .read import read_cached
from .summary import CacheSummary

__all__ = ['CacheSummary', 'CachedFilm', 'build_cache', 'cached_films', 'read_cached']
