#!/usr/bin/env bash
# What a machine with a GPU has to say: is it right there, how fast is it, and what does it train
# in the time that is left. The machine needs torch with CUDA and no network.
#
#   benchmarks/gpu.sh [SECONDS [OUT]]      SECONDS for the study (default 600), OUT: results
#
#   PYTHON   the interpreter (default python3), 3.11 or newer
#   WHEELS   a folder of wheels for what it lacks. Where there is a network and the same Python:
#                pip download -d wheels -c constraints.txt --no-deps \
#                    keras tensorflow-datasets safetensors fire ...
#            without torch and what belongs to it: the machine's own is kept.
#   KERAS_FMNIST_CACHE   the prepared data (~/.cache/keras-fmnist on the machine they come from)
#   DEVICE   gpu (default), or cpu to see that the script itself is in order
#   STEPS, ROUNDS        of the benchmark (30 and 9)
#
# Leaves OUT/benchmarks/gpu.json and OUT/<report>/<experiment>/seed<k>-torch-gpu.json with weights
# and figures. Asked again it goes on with the study where it stopped.
# Exit status: that of the first step that failed; a study that runs out of time has not failed.
set -euo pipefail

SECONDS_FOR_STUDY=${1:-600}
OUT=$(realpath -m "${2:-$(dirname "$0")/../results}")
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-gpu}
cd "$(dirname "$0")/.."
export KERAS_BACKEND=torch PYTHONPATH=$PWD

if [[ ! $SECONDS_FOR_STUDY =~ ^[0-9]+$ || $DEVICE != [cg]pu ]]; then
  echo "usage: benchmarks/gpu.sh [SECONDS [OUT]], with DEVICE=gpu or cpu" >&2
  exit 2
fi
if [[ -n ${WHEELS:-} ]]; then
  "$PYTHON" -m venv --system-site-packages .venv-gpu
  PYTHON=$PWD/.venv-gpu/bin/python
  "$PYTHON" -m pip install --quiet --no-index --no-deps "$WHEELS"/*.whl
fi

step() { printf '\n== %s\n' "$*"; }
tool() { "$PYTHON" -m experiments "$@"; }

step "The machine"
"$PYTHON" - "$DEVICE" <<'PYTHON'
import sys

import torch

there = torch.cuda.is_available()
print("torch", torch.__version__, "CUDA", torch.version.cuda)
print(torch.cuda.get_device_name() if there else "no GPU")
sys.exit("DEVICE=gpu, but torch finds none" if sys.argv[1] == "gpu" and not there else 0)
PYTHON
[[ $DEVICE == gpu ]] || export CUDA_VISIBLE_DEVICES="" KERAS_TORCH_DEVICE=cpu

step "The data"
tool data

# What is portable holds on every backend and device; the traced step and the CUDA graph on torch.
step "Correctness: the tests that hold on every device"
"$PYTHON" -m pytest -p no:cacheprovider -m portable --ignore tests/test_backends.py
step "Correctness: the traced step and its CUDA graph beside stock Keras"
"$PYTHON" -m pytest -p no:cacheprovider -rs tests/fast_fit

step "Correctness: one step here and on the CPU, from the same weights on the same images"
"$PYTHON" - "$DEVICE" <<'PYTHON'
import sys

import keras
import numpy as np
import torch

from experiments import mansilla
from keras_fmnist import data, models, train

dataset = data.load()
images = (dataset.train_images[:100] / 255).astype("float32")
labels = dataset.train_labels[:100].astype("int64")


def losses(spec, device):
    with keras.device(device):
        model = models.build(spec, seed=0)
        x, y = (torch.from_numpy(a).to(device) for a in (images, labels))
        loss = train.loss_of(spec)(y if spec is mansilla.CLASSIFIER_FULL else x, model(x))
        loss.backward()
        gradients = [v.value.grad.cpu().numpy() for v in model.trainable_weights]
    return [loss.detach().cpu().numpy(), *gradients]


there = "cuda" if sys.argv[1] == "gpu" else "cpu"
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
for spec in (mansilla.BASE, mansilla.CLASSIFIER_FULL):
    for ours, cpu in zip(losses(spec, there), losses(spec, "cpu"), strict=True):
        np.testing.assert_allclose(ours, cpu, rtol=1e-3, atol=1e-5)
    print(spec.id, "loss and every gradient agree")
PYTHON

step "The benchmark"
tool bench --steps "${STEPS:-30}" --rounds "${ROUNDS:-9}" --whole --growth \
  --json "$OUT/benchmarks/$DEVICE.json"

step "The study, for $SECONDS_FOR_STUDY seconds"
status=0
timeout --signal=INT --kill-after=60 "$SECONDS_FOR_STUDY" \
  "$PYTHON" -m experiments study --device "$DEVICE" --out "$OUT" || status=$?
# 124: out of time; 130: its own answer to an interrupt
[[ $status == 0 || $status == 124 || $status == 130 ]] || exit "$status"
tool list --out "$OUT"
