#!/usr/bin/env bash
# Two runs side by side with one thread each, against the same two one after the other with two
# threads each, taking turns: what `keras-fmnist study --jobs 2` gains on two cores.
#
#     benchmarks/throughput.sh [rounds] [images]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3} images=${2:-20000}
python=.venv/bin/python
[ -x "$python" ] || python=python3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

run() { # threads, seed
  OMP_NUM_THREADS=$1 "$python" -m experiments.mansilla base --epochs 1 --examples "$images" \
    --device cpu --seed "$2" --force --out "$out/$2" > /dev/null 2>&1
}
seconds() {
  local before=$EPOCHREALTIME
  "$@"
  awk -v a="$before" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}
in_turn() { run 2 0; run 2 1; }
side_by_side() {
  run 1 0 &
  local first=$!
  run 1 1
  wait "$first"
}

for round in $(seq "$rounds"); do
  slow=$(seconds in_turn)
  fast=$(seconds side_by_side)
  awk -v n="$round" -v s="$slow" -v f="$fast" \
    'BEGIN { printf "round %d: in turn %.1f s, side by side %.1f s, ratio %.2f\n", n, s, f, s / f }'
done
