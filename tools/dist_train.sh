#!/usr/bin/env bash
# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
# Train with several processes: tools/dist_train.sh CONFIG PROCESSES [options of train.py]
# One process for each GPU; without a GPU the processes share the CPU and talk through gloo.
# Environment: PORT, MASTER_ADDR, NNODES, NODE_RANK for several machines; PYTHON for the interpreter.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CONFIG=$1
PROCESSES=$2

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}"
