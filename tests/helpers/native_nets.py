"""Native nets and what moves in them."""

from keras_fmnist.pytorch.nets import DECONVS, Autoencoder, Decoder, Encoder


def manolucos(deconvs="manolucos", output="sigmoid", dropout=0.2):
    decoder = Decoder(latent=None, dropout=dropout, deconvs=DECONVS[deconvs], output=output)
    return Autoencoder(Encoder(latent=None, dropout=dropout), decoder)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def copied(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(module, before):
    return {name for name, value in module.state_dict().items() if not value.equal(before[name])}
