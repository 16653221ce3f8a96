"""A run: its files, what it needs and the command that repeats it."""

from keras_fmnist.records.run import RunFiles


def test_a_record_lies_where_the_house_plan_says(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    assert path == tmp_path / "mansilla" / "base" / "seed0-torch-cpu.json"
    assert RunFiles(path).weights == path.with_name("seed0-torch-cpu.safetensors")
