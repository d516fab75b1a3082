# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass

from muscle_mm.datasets.checking.film import Film

#: Kind of finding -> what it is, and what to do about it.
KINDS: dict[str, tuple[str, str]] = {
    'file': (
        'files have gone or changed since the preparation',
        'prepare the set again; --fix leaves them out until then',
    ),
    'mask': ('masks do not fit', 'repair the masks and prepare again; --fix leaves the images out'),
    'box': (
        'boxes cannot be true',
        'repair the boxes and prepare again; --fix leaves the images out',
    ),
    'class': ('labels are no class of the set', 'prepare the set again; --fix leaves them out'),
    'leak': (
        'films are copies of one that is held out from them',
        '--fix leaves them out; the held-out film stays',
    ),
    'patient': (
        'patients are in several splits of a set',
        'prepare again with a split by patient; --fix leaves out the films of the earlier split',
    ),
    'same id': (
        'patients of a DICOM header have the id of one who is held out in another set',
        'if it is one hospital, split both sets alike (--split-file); two may number alike',
    ),
    'label': (
        'films have copies with another label',
        '--fix leaves out all of them that are in train',
    ),
    'copy': (
        'films are copies of another one of the same split',
        'no harm to the results; --fix keeps the first of equal films in train',
    ),
    'empty mask': ('masks are empty', 'right only where the object may be absent'),
}


@dataclass(frozen=True, eq=False)
class Finding:
    """Something that is wrong, or worth knowing.

    Attributes:
        kind (str): A key of ``KINDS``.
        films (tuple[Film, ...]): The films concerned; of a leak, the earlier split's first.
        reason (str): What was found, in words for the user.
        serious (bool): Whether results would be wrong, as opposed to a warning.
        leave_out (tuple[Film, ...]): What ``--fix`` leaves out. A serious finding is gone then.
    """

    kind: str
    films: tuple[Film, ...]
    reason: str
    serious: bool = True
    leave_out: tuple[Film, ...] = ()

    @property
    def order(self) -> tuple[int, list[tuple[str, str, str]], str]:
        """Key to sort by, the same in whatever order the sets were given."""
        return list(KINDS).index(self.kind), [film.order for film in self.films], self.reason
