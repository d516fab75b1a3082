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

# The option of train.py, in either form; without it what train.py takes.
WORK_DIR=work_dirs/$(basename "${CONFIG%.py}")
PREVIOUS=
for ARGUMENT in "${@:3}"; do
    case "$PREVIOUS $ARGUMENT" in
        *" --work-dir="*) WORK_DIR=${ARGUMENT#*=} ;;
        "--work-dir "*) WORK_DIR=$ARGUMENT ;;
    esac
    PREVIOUS=$ARGUMENT
done

# torchrun ends all processes when one of them ends early, and says which one. It gets our signals.
PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}" &
LAUNCHER=$!
STOPPED=
trap 'STOPPED=yes; kill -TERM "$LAUNCHER"' INT TERM
STATUS=0
wait "$LAUNCHER" || STATUS=$?
if [ -n "$STOPPED" ]; then
    wait "$LAUNCHER" || STATUS=$?  # the first wait ends with the signal
elif [ "$STATUS" -ne 0 ]; then
    echo "Error: a process has ended early; its rank and exit code are under \"Root Cause\" above (exit" \
        "code -9: killed, often for lack of memory), its own message is further up. The log is below" \
        "$WORK_DIR (or the config's work_dir). --resume goes on from the last checkpoint." >&2
fi
exit "$STATUS"
