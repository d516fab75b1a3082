"""Mean and standard deviation of the grey values of the training films, on the 0-255 scale.

One statistic for the shared backbone: steps 1 to 3 must normalise in the same way.
Our choice: rounded from 883 training films of four public collections (chest and knee).
Measure your own: python tools/compute_stats.py DATA_ROOT --out configs/_base_/normalisation.py
"""

mean = float('{{$MUSCLE_MEAN:130.0}}')
std = float('{{$MUSCLE_STD:58.0}}')
