# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The contract of every X-ray data set in this package."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from muscle_mm.datasets.cache import cached_films
from muscle_mm.datasets.exclusions import EXCLUSIONS_NAME, read_exclusions
from muscle_mm.datasets.manifest import MANIFEST_NAME, SPLITS, read_manifest, safe_join
from muscle_mm.datasets.unreadable_files import UnreadableFiles
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError

_FILTERS = ('filter_empty_gt', 'min_size')


@DATASETS.register_module()
class XrayDataset(BaseDataset):
    """Radiographs described by a manifest.

    A sample is what the toolboxes' own transforms expect, whatever the task: ``img_path``
    (absolute), ``dataset`` (name of the set), ``patient_id``, ``height``, ``width``, ``img_id``,
    ``study`` (one visit, where the set says so) and

    * classification: ``gt_label`` (int);
    * segmentation: ``seg_map_path`` (absolute; 0 background, 255 object), ``label_map``,
      ``reduce_zero_label=False``, ``seg_fields=[]``;
    * detection: ``instances`` with ``bbox`` (x1, y1, x2, y2), ``bbox_label``, ``ignore_flag``;
    * with a cache: ``cached_film`` (where the film lies in it).

    Use it, or any subclass, as ``type='muscle_mm.XrayDataset'`` in any toolbox's config.

    A training file that turns out to be unreadable is logged, and another image, drawn at random,
    takes its place; in validation and test (``test_mode``) it is an error.

    Args:
        data_root (str): Folder written by ``tools/prepare_dataset.py``.
        ann_file (str): Manifest in it. Defaults to 'manifest.json'.
        split (str, optional): 'train', 'val' or 'test'; None takes all images. Defaults to None.
        pipeline (Sequence): Transforms. Defaults to none.
        test_mode (bool): Whether this is a test set. Defaults to False.
        metainfo (Mapping, optional): Comes before the manifest, and that before the class. Defaults
            to None.
        indices (int | Sequence[int], optional): Use only the first images, or these. Defaults to
            None.
        source_root (str, optional): Folder of the images, where it has moved since the preparation.
            Defaults to None: as the manifest says.
        with_labels (bool): False hides labels, masks and boxes, for step 1. Defaults to True.
        exclude (bool): Leave out the images that ``exclusions.csv`` beside the manifest names, as
            ``tools/check_data.py --fix`` writes it. Defaults to True.
        cache (int, optional): Read the films from the cache of this size beside the manifest, as
            ``tools/prepare_dataset.py --cache`` builds it: faster, and smaller than the files'
            films, so without masks and boxes. Defaults to None: from the files.
        filter_cfg (dict, optional): For training, as in mmdet: ``filter_empty_gt`` (bool, defaults
            to True) drops images without boxes from a detection set, ``min_size`` (int) drops
            images with a shorter side. With ``test_mode`` nothing is dropped. Defaults to None.
        serialize_data (bool): Keep records as bytes shared by the workers. Defaults to True.
        lazy_init (bool): Read the manifest later. Defaults to False.
        max_refetch (int): Further samples tried when the pipeline gives None. Defaults to 1000.
        max_unreadable (float): Fraction of the training images, from 0 to 1, whose files may turn
            out to be unreadable; one always may, unless it is 0. A union of sets counts by itself.
            Defaults to 0.01.

    Raises:
        UserError: If the folder, the manifest or the images' folder is missing, the split is
            unknown or empty, a path leaves its folder, the manifest is for another task,
            ``exclusions.csv`` does not fit the manifest, the cache is missing or out of date or,
            while samples are read, too many files are unreadable.
    """

    METAINFO: dict = {}
    _metainfo: dict[str, Any]
    #: Whether the preparation keeps the split of the source where it has one, unless told
    #: otherwise.
    OFFICIAL_SPLIT_BY_DEFAULT = False
    #: Paths below the source in which ``scan`` looks, for the message where nothing is found.
    EXPECTED_PATHS: tuple[str, ...] = ()

    def __init__(
        self,
        data_root: str = '',
        ann_file: str = MANIFEST_NAME,
        split: str | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        metainfo: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        source_root: str | None = None,
        with_labels: bool = True,
        exclude: bool = True,
        cache: int | None = None,
        filter_cfg: dict | None = None,
        serialize_data: bool = True,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        max_unreadable: float = 0.01,
    ) -> None:
        self.set_name = type(self).__name__
        if split is not None and split not in SPLITS:
            raise UserError(
                f'{self.set_name}: split={split!r} is unknown. Choose from {list(SPLITS)}, or '
                'None for all images.'
            )
        unknown = sorted(set(filter_cfg or ()) - set(_FILTERS))
        if unknown:
            raise UserError(
                f'{self.set_name}: filter_cfg has the unknown key {unknown[0]!r}. '
                f'Choose from {list(_FILTERS)}.'
            )
        self.split = split
        self.source_root = source_root
        self.with_labels = with_labels
        self.exclude = exclude
        self.cache = cache
        self.max_unreadable = max_unreadable
        self._given_metainfo = tuple(metainfo or ())
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=str(data_root),
            data_prefix={},
            filter_cfg=filter_cfg,
            indices=indices,
            serialize_data=serialize_data,
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            max_refetch=max_refetch,
        )

    @classmethod
    def scan(cls, source: Path) -> Iterator[dict[str, Any]]:
        """Read a set in its published layout and yield one raw record an image.

        A record has ``img_path`` (relative to the source, with ``/``) and ``patient_id``, and where
        the set has them ``split`` (the official one), ``gt_label``, ``masks`` (list of files to
        join), ``instances``, ``annotated_size`` (width and height on which these were drawn),
        ``study`` (the films of one visit), ``stratum`` (what to stratify by), ``frame`` (of a file
        that holds several) and ``patient_from_header`` (the patient of a DICOM header comes first).
        A record with ``problem`` (a reason) stands for a file that is missing or inconsistent and
        is reported, not used.

        Args:
            source (Path): The folder of the unpacked set.

        Yields:
            dict: The next record.

        Raises:
            UserError: If the folder does not hold the set, or if this class has no layout.
        """
        raise UserError(
            f'{cls.__name__} has no layout of its own. Use a named set, or XrayFolder, '
            'XrayMaskFolder or XrayBoxFolder.'
        )

    @classmethod
    def class_names(cls, source: Path) -> tuple[str, ...] | None:
        """Name the classes of a set before it is scanned.

        Args:
            source (Path): The folder of the unpacked set.

        Returns:
            tuple[str, ...] | None: The classes in the order of the labels, or None without labels.
        """
        return cls.METAINFO.get('classes')

    def full_init(self) -> None:
        """Read the manifest, if that was left to be done later."""
        if not self._fully_initialized:
            super().full_init()
            self._start_count()

    def _start_count(self) -> None:
        #: The training files that turned out to be unreadable.
        self.unreadable = UnreadableFiles(self.set_name, len(self), self.max_unreadable)

    def __getitem__(self, idx: int) -> Any:
        if self.test_mode:
            return self.read(idx)
        self.full_init()
        if self.unreadable.images != len(self):  # a subset, taken since
            self._start_count()
        return self.unreadable.read(idx, self.read)

    def read(self, idx: int) -> Any:
        """Read a sample; unlike an index, this does not replace an unreadable file.

        Args:
            idx (int): Index of the image.

        Returns:
            Any: What the pipeline gives.

        Raises:
            XrayReadError: If a film cannot be read.
        """
        return super().__getitem__(idx)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the manifest and select the split.

        Returns:
            list[dict]: One sample an image, as the class describes.
        """
        if self.data_root and not os.path.isdir(self.data_root):
            raise UserError(
                f"{self.set_name}: the data folder '{self.data_root}' (data_root) does not exist. "
                f'Prepare it: python tools/prepare_dataset.py {self.set_name} --src DIR '
                f'--out {self.data_root}'
            )
        metainfo, records = read_manifest(self.ann_file)
        self._check_task(metainfo)
        # Unlike in mmengine, the manifest comes before the class: it knows what its labels mean, so
        # that another set of the same task can stand in for a public one.
        given = {key: self._metainfo[key] for key in self._given_metainfo}
        self._metainfo = {**self._metainfo, **metainfo, **given}
        if 'classes' in self._metainfo:
            self._metainfo['classes'] = tuple(self._metainfo['classes'])

        # Resolved as when source_root was written: after a link, ".." is another place.
        folder = os.path.dirname(os.path.realpath(self.ann_file))
        images = self.source_root or os.path.normpath(
            os.path.join(folder, metainfo.get('source_root', '.'))
        )
        if not os.path.isdir(images):
            raise UserError(
                f"{self.set_name}: the images' folder '{images}' does not exist (source_root "
                f'in the metainfo of {self.ann_file}). Put it back, give source_root=..., or '
                'prepare the set again.'
            )
        kept = self._not_excluded(records, Path(folder, EXCLUSIONS_NAME))
        chosen = [record for record in kept if self.split in (None, record.get('split'))]
        if not chosen:
            found = Counter(str(record.get('split')) for record in kept)
            counts = ', '.join(f'{name} {count}' for name, count in sorted(found.items())) or 'none'
            if len(kept) < len(records):
                counts += f'; {EXCLUSIONS_NAME} leaves out {len(records) - len(kept)}'
            wanted = 'the data set' if self.split is None else f"split '{self.split}'"
            raise UserError(
                f'{self.set_name}: {wanted} is empty in {self.ann_file} (images there: {counts}).'
            )
        samples = [
            self._sample(record, index, os.path.abspath(images), folder)
            for index, record in enumerate(chosen)
        ]
        if self.cache is not None:
            films = cached_films(folder, self.cache, chosen)
            for sample, film in zip(samples, films, strict=True):
                sample['cached_film'] = film
        return samples

    def filter_data(self) -> list[dict[str, Any]]:
        """Drop images without boxes from a detection set, and images that are too small.

        Returns:
            list[dict]: The samples that are left; all of a test set.
        """
        if self.test_mode:
            # A box found where there is nothing must count against a detector.
            return self.data_list
        filters = self.filter_cfg or {}
        min_size = filters.get('min_size', 0)
        samples = [
            sample
            for sample in self.data_list
            if min(sample.get('height', min_size), sample.get('width', min_size)) >= min_size
            and (sample.get('instances', True) or not filters.get('filter_empty_gt', True))
        ]
        if not samples:
            raise UserError(
                f'{self.set_name}: no image of {self.ann_file} is left after filtering '
                f'(images without boxes, filter_cfg={self.filter_cfg}).'
            )
        return samples

    def get_cat_ids(self, idx: int) -> list[int]:
        """Name the classes in an image, for samplers that balance them.

        Args:
            idx (int): Index of the image.

        Returns:
            list[int]: The label, or the labels of the boxes.
        """
        sample = self.get_data_info(idx)
        if 'gt_label' in sample:
            return [sample['gt_label']]
        return [instance['bbox_label'] for instance in sample.get('instances', [])]

    def _check_task(self, metainfo: dict[str, Any]) -> None:
        """Refuse the manifest of another task: it would train on nothing, or on nonsense."""
        own, found = type(self).METAINFO.get('task'), metainfo.get('task')
        if own not in (None, 'none') and own != found:
            raise UserError(
                f'{self.set_name} is a {own} set, but {self.ann_file} was prepared for {found} '
                f'({metainfo.get("dataset")}). Check data_root.'
            )

    def _not_excluded(self, records: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
        """Leave out what the list beside the manifest names, and say how much that is."""
        if not self.exclude:
            return records
        reasons = read_exclusions(path, {record.get('img_path', '') for record in records})
        if reasons:
            left_out = sum(
                record['img_path'] in reasons
                for record in records
                if self.split in (None, record.get('split'))
            )
            where = f"split '{self.split}'" if self.split else 'all splits'
            print_log(
                f'{self.set_name}: {left_out} images of {where} left out, named in {path}',
                logger='current',
                level=logging.INFO,
            )
        return [record for record in records if record.get('img_path') not in reasons]

    def _sample(
        self, record: dict[str, Any], index: int, images: str, folder: str
    ) -> dict[str, Any]:
        """Turn a record of the manifest into a sample."""
        where = f'{self.ann_file}, image {record.get("img_path")!r}'
        sample = {
            'img_path': safe_join(images, record.get('img_path', ''), where),
            'dataset': self._metainfo.get('dataset', self.set_name),
            'patient_id': record.get('patient_id', ''),
            'img_id': index,
        }
        for key in ('height', 'width', 'bits', 'study', 'inverted', 'frame'):
            if key in record:
                sample[key] = record[key]
        if not self.with_labels:
            return sample
        if 'gt_label' in record:
            sample['gt_label'] = record['gt_label']
        if 'seg_map_path' in record:
            sample['seg_map_path'] = safe_join(folder, record['seg_map_path'], where)
            sample['label_map'] = {255: 1}
            sample['reduce_zero_label'] = False
            sample['seg_fields'] = []
        if 'instances' in record:
            sample['instances'] = record['instances']
        return sample


def read_from(dataset: Any, idx: int) -> Any:
    """Read a sample for a union, which replaces and counts unreadable files by itself.

    Args:
        dataset (Dataset): An :class:`XrayDataset`, or any other data set.
        idx (int): Index of the sample.

    Returns:
        Any: The sample.
    """
    return dataset.read(idx) if isinstance(dataset, XrayDataset) else dataset[idx]
