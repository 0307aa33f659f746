#!/bin/bash
# Run on the rented machine, in the project's root: unpack, install, prepare on all processors, then train one model after another
# in a process of its own, which outlives this command. poll.sh shows how far it is.
#   PLAN   recipe:minutes:batch:learning rate, several with spaces between    WORK  where everything goes    EXTRA  options of fit
set -euo pipefail
PACK=$(cd "$(dirname "$0")" && pwd)
WORK=${WORK:-/tmp/stemplay}
PLAN=${PLAN:-demucs-live:20:64:2e-3}
CORES=$(python3 -c 'import os; print(os.cpu_count())')
mkdir -p "$WORK"
if compgen -G "$PACK/wheels/*.whl" >/dev/null; then
  python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$WORK/site" "$PACK"/wheels/*.whl
fi
export PYTHONPATH=$WORK/site:$PWD OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
python3 -m zipfile -e "$PACK/data.zip" "$WORK"
python3 -m training prepare stems --data "$WORK/data" -o "$WORK/store" --workers "$CORES" --soundfont "$WORK"/soundfonts/* \
  --takes "${TAKES:-3}" --grooves "${GROOVES:-400}" --singers makam ${PREPARE:-}
cat >"$WORK/train.sh" <<END
set -e
for step in $PLAN; do
  IFS=: read -r recipe minutes batch rate <<<"\$step"
  init=$WORK/weights/\$recipe.safetensors
  python3 -m training fit "\$recipe" -o "$WORK/runs/\$recipe" --store "$WORK/store" --minutes "\$minutes" --batch "\$batch" --lr "\$rate" \\
    --workers $((CORES > 2 ? CORES - 1 : 1)) --validate-every 60 --checkpoint-every 100 --log-every 15 \\
    \$([ -e "\$init" ] && echo --init "\$init") ${EXTRA:-}
done
echo finished
END
setsid nohup bash "$WORK/train.sh" >"$WORK/log" 2>&1 </dev/null &
sleep "${WAIT:-20}"
tail -n 5 "$WORK/log"
