"""Native training as course code does it: a `DataLoader` over images that are scaled one by one."""

from torch.utils.data import DataLoader, Dataset

from keras_fmnist.native import check_lengths, train_epoch


class ImageDataset(Dataset):
    """`(n, 28, 28)` uint8 images, each scaled when asked for, as torchvision's `ToTensor` does.

    An example is an image `(1, 28, 28)` float32 in [0, 1] and its label, or itself without labels.
    """

    def __init__(self, images, labels=None):
        self.images = images
        self.labels = labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index].unsqueeze(0).float().div(255)
        return image, image if self.labels is None else self.labels[index]


def train_with_dataloader(
    model, images, labels=None, *, epochs, batch_size, optimizer, loss, workers=0
):
    """Trains with a `DataLoader` over an `ImageDataset`, image by image.

    `images` and `labels` are an `ImageDataset`'s, on the CPU; each batch follows the model to its
    device. `workers` is the number of loading processes, 0 for none. The rest is `native.train`'s.
    """
    check_lengths(images, images if labels is None else labels)
    dataset = ImageDataset(images, labels)
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=workers)
    device = next(model.parameters()).device
    history = []
    for _ in range(epochs):
        batches = ((inputs.to(device), targets.to(device)) for inputs, targets in loader)
        history.append(train_epoch(model, batches, optimizer, loss))
    return history
