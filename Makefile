# make run    set-up, data, and the main job: mansilla's autoencoder and the two classifiers on it
# make test   set-up, data, lint, the study's figures and page held to its records, every test
#
# EPOCHS=1 for a quick look (the report's 15 otherwise), SEED=1 for another seed, OUT=folder;
# CORES=4 for `make test` on four processors, 0 for one test after the other.
# What is done is not done again, and an interrupted `make run` goes on where it was.

PYTHON ?= python3
SEED ?= 0
CORES ?= 2
OUT ?= runs$(if $(EPOCHS),/epochs$(EPOCHS))
BIN := .venv/bin
RUN = $(BIN)/python -m experiments.mansilla
FLAGS = --seed $(SEED) --out $(OUT) --resume

.PHONY: run test data

run: data
	$(RUN) base $(FLAGS) $(if $(EPOCHS),--epochs $(EPOCHS))
	$(RUN) classifier_full $(FLAGS) $(if $(EPOCHS),--epochs $(EPOCHS) --autoencoder_epochs $(EPOCHS))
	$(RUN) classifier_frozen $(FLAGS) $(if $(EPOCHS),--epochs $(EPOCHS) --autoencoder_epochs $(EPOCHS))
	@echo "Figures, records and weights are in $(OUT)/mansilla/"

test: data .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m experiments report --check
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

data: .venv/installed
	$(BIN)/python -m experiments data

.venv/installed: .venv/constraints.txt pyproject.toml
	@echo "Installing into .venv (a minute or two)"
	$(BIN)/python -m pip install --quiet --constraint .venv/constraints.txt --editable .
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Installing the test tools, jax, tensorflow, ray, onnx and tensorboard into .venv (a minute or two)"
	$(BIN)/python -m pip install --quiet --constraint .venv/constraints.txt --editable '.[test,jax,tensorflow,ray,onnx,tensorboard]'
	@touch $@

# A torch with CUDA that the machine already has is kept, whatever its version.
.venv/constraints.txt: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11' >&2; exit 2; }
	@if $(PYTHON) -c 'import sys, torch; sys.exit(not torch.version.cuda)' 2>/dev/null; then \
	  $(PYTHON) -m venv --system-site-packages .venv && grep -v '^torch==' constraints.txt > $@; \
	else \
	  $(PYTHON) -m venv .venv && cp constraints.txt $@; \
	fi
