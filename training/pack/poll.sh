#!/bin/bash
# Run on the rented machine: wait, show the end of the log, and leave the newest weights (float16) with their curve in $OUT.
set -euo pipefail
WORK=${WORK:-/tmp/stemplay}
export PYTHONPATH=$WORK/site:$PWD
for _ in $(seq "${WAIT:-540}"); do
  tail -n 1 "$WORK/log" | grep -qx finished && break
  sleep 1
done
tail -n "${LINES_SHOWN:-12}" "$WORK/log"
for run in "$WORK"/runs/*; do
  [ -e "$run/last.ckpt" ] || continue
  for which in best ema; do
    python3 -m training release "$run" --which $which --store "$WORK/store" -o "$OUT/$(basename "$run")-$which" || true
  done
done
