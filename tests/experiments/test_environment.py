from skinkit.experiments.environment import _processor


def test_processor_tells_of_bfloat16(tmp_path):
    described = tmp_path / "cpuinfo"
    core = "processor\t: 0\nmodel name\t: Chip 9\nflags\t\t: fpu avx2 {}\n\n"
    described.write_text(core.format("avx512_bf16") * 2)
    found = _processor(described)
    assert found["processor"] == "Chip 9" and found["processor_features"].endswith(" avx512_bf16")
    described.write_text(core.format("") * 2)
    assert "bf16" not in _processor(described)["processor_features"]
    assert _processor(tmp_path / "nothing").keys() == found.keys()
