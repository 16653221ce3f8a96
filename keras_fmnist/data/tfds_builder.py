"""Prepares Fashion-MNIST through tensorflow-datasets, without TensorFlow.

The catalogue's own `fashion_mnist` builder needs TensorFlow twice: to unpack its archives and to
encode its images as PNG. This builder unpacks with gzip and stores plain tensors as array records.
TFDS finds the registered sizes and sha256 of the four files in `checksums.tsv` beside this module.
"""

import contextlib
import errno
import io
import os
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from keras_fmnist.data import sources


class KerasFmnist(tfds.core.GeneratorBasedBuilder):
    """The 70 000 examples, each with its index in the original file."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Fashion-MNIST as plain tensors, with the original order.",
            features=tfds.features.FeaturesDict(
                {
                    # TFDS shuffles by a hash of the key; the index restores the order of the file.
                    "index": tfds.features.Scalar(dtype=np.int32),
                    "image": tfds.features.Tensor(shape=(28, 28, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://github.com/zalandoresearch/fashion-mnist",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        paths = dl_manager.download({file.name: file.url for file in sources.FILES})
        return {
            split: self._generate_examples(split, *(paths[file.name] for file in files))
            for split, files in sources.SPLITS.items()
        }

    def _generate_examples(self, split: str, images: Path, labels: Path):
        pairs = zip(
            sources.read_idx(images, sources.SHAPES[f"{split}_images"]),
            sources.read_idx(labels, sources.SHAPES[f"{split}_labels"]),
            strict=True,
        )
        total = sources.SHAPES[f"{split}_labels"][0]
        for index, (image, label) in enumerate(_bar(pairs, f"writing {split}", total)):
            yield index, {"index": index, "image": image, "label": int(label)}


def build(upstream: Path, work: Path) -> dict[str, np.ndarray]:
    """Reads the four files through TFDS and returns the arrays in the original order.

    Args:
        upstream: Folder that holds the four upstream files. TFDS checks their size and sha256.
        work: Empty folder for what TFDS writes, about 60 MB; the caller removes it.

    Returns:
        `train_images` (60000, 28, 28, 1), `train_labels` (60000,), `test_images` and
        `test_labels`, all uint8.

    Raises:
        OSError: `work` cannot be written.
        DataError: TFDS failed in another way.
    """
    tfds.display_progress_bar(False)  # it shows a dozen bars; ours are two for each split
    builder = KerasFmnist(data_dir=work / "prepared", file_format="array_record")
    config = tfds.download.DownloadConfig(manual_dir=upstream, try_download_gcs=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints, with no switch against it
            builder.download_and_prepare(download_dir=work / "downloads", download_config=config)
    except RuntimeError as error:  # raised by array_record's C++, also if the disk is full
        full = os.strerror(errno.ENOSPC)
        if full in str(error):
            raise OSError(errno.ENOSPC, full) from None
        message = str(error).partition("\n")[0]
        raise sources.DataError(f"tensorflow-datasets failed: {message}") from error
    arrays = {name: np.empty(shape, np.uint8) for name, shape in sources.SHAPES.items()}
    for split in sources.SPLITS:
        examples = builder.as_data_source(split=split)
        for example in _bar(examples, f"reading {split}", len(examples)):
            arrays[f"{split}_images"][example["index"]] = example["image"]
            arrays[f"{split}_labels"][example["index"]] = example["label"]
    return arrays


def _bar(items, title: str, total: int):
    # disable=None: hidden if stderr is not a terminal.
    return tqdm(items, desc=title, total=total, unit=" images", disable=None, leave=False)
