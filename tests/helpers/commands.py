"""What commands are asked and answer."""

QUICK = ["--batch_size", "100", "--epochs", "1", "--examples", "100", "--device", "cpu"]


QUICK_HEAD = [*QUICK, "--autoencoder_epochs", "1", "--autoencoder_batch_size", "100"]


def assert_refused(answer, words, name="mansilla"):
    status, out, err = answer
    assert status == 2, err
    assert out == ""
    assert err.startswith(f"{name}: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable()  # one line, and nothing that moves the cursor of a terminal
    assert len(err) < 1100
    assert words in err
