# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One evaluation for several tasks that share a dataloader."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from muscle_mm.registry import METRICS
from muscle_mm.utils.errors import UserError


@METRICS.register_module()
class MultiTaskMetric(BaseMetric):
    """Hand each batch to the metrics of its task and log ``<task>/<key>``.

    Every batch holds one task (``CyclicTaskBatchSampler``), named in ``data_batch['task'][0]``.
    What a task's metrics need to know of its data is in ``dataset_meta['tasks'][task]``
    (``MultiTaskDataset``): its own meta information, and ``size``, the number of its samples, by
    which samples that were padded for distributed evaluation are dropped.

    Write it as a *list* in a config, ``val_evaluator=[dict(type='muscle_mm.MultiTaskMetric',
    ...)]``: mmengine takes a bare dict with a key ``metrics`` for an evaluator, not for a metric.

    Args:
        metrics (Mapping[str, dict | list[dict]]): Config of one metric, or of several, by task.
        collect_device (str): Handed to each metric that does not set its own. Defaults to 'cpu'.
        prefix (str, optional): Prefix before the task's name. Defaults to None, for none.
        collect_dir (str, optional): Handed to each metric that does not set its own. Defaults to
            None.

    Raises:
        UserError: If a batch names a task without metrics, or ``dataset_meta`` does not describe a
            task.
    """

    # The tasks' names are prefixes enough; None would make the base class warn of a missing one.
    default_prefix = ''

    def __init__(
        self,
        metrics: Mapping[str, dict | list[dict]],
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        defaults: dict[str, Any] = {'collect_device': collect_device}
        if collect_dir is not None:
            defaults['collect_dir'] = collect_dir
        self.metrics: dict[str, list[BaseMetric]] = {}
        for task, configs in metrics.items():
            several = configs if isinstance(configs, (list, tuple)) else [configs]
            self.metrics[task] = [METRICS.build({**defaults, **config}) for config in several]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Hand a batch to the metrics of its task.

        Args:
            data_batch (Any): Mapping with ``task``, a list of the task's name for each sample.
            data_samples (Sequence[dict]): Predictions of the task's model.
        """
        if not isinstance(data_batch, Mapping) or 'task' not in data_batch:
            raise UserError(
                "MultiTaskMetric: the batch does not name its task (key 'task'). Use "
                'muscle_mm.MultiTaskDataset with muscle_mm.CyclicTaskBatchSampler in the '
                'dataloader.'
            )
        task = data_batch['task'][0]
        if task not in self.metrics:
            raise UserError(
                f'MultiTaskMetric has no metric for task {task!r}, only for '
                f'{", ".join(map(repr, self.metrics))}. Add it to metrics in the evaluator.'
            )
        for metric in self.metrics[task]:
            metric.dataset_meta = self._meta_of(task)
            metric.process(data_batch, data_samples)

    def evaluate(self, size: int) -> dict[str, Any]:
        """Evaluate all tasks.

        Every rank evaluates every task in the same order, whether it met the task or not, because
        collecting the results is a collective operation.

        Args:
            size (int): Length of the whole data set; each task's own size is used instead.

        Returns:
            dict[str, Any]: Measures by ``<task>/<key>``.
        """
        measures = {}
        for task, metrics in self.metrics.items():
            meta = self._meta_of(task)
            for metric in metrics:
                metric.dataset_meta = meta
                for key, value in metric.evaluate(int(meta['size'])).items():
                    full_key = '/'.join(part for part in (self.prefix, task, key) if part)
                    if full_key in measures:
                        raise UserError(
                            f'MultiTaskMetric: two metrics of task {task!r} log the same key '
                            f'{key!r}. Give one of them another prefix.'
                        )
                    measures[full_key] = value
        return measures

    def compute_metrics(self, results: list) -> dict[str, Any]:
        """Not used: the tasks' metrics compute their own measures in ``evaluate``.

        Args:
            results (list): Always empty.

        Returns:
            dict[str, Any]: Always empty.
        """
        return {}

    def _meta_of(self, task: str) -> dict[str, Any]:
        """Meta information of one task's data, with its size.

        Args:
            task (str): Name of the task.

        Returns:
            dict[str, Any]: The task's meta information.
        """
        meta = (self.dataset_meta or {}).get('tasks', {}).get(task)
        if meta is None or 'size' not in meta:
            raise UserError(
                f"MultiTaskMetric: dataset_meta['tasks'][{task!r}]['size'] is missing. The dataset "
                f'of this dataloader must be muscle_mm.MultiTaskDataset with a task {task!r}.'
            )
        return meta
