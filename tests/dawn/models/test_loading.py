"""Loading: one model at a time, loaded once, and every way in which it can fail says what to do."""

from __future__ import annotations

import json
import os
import sys
import threading
import types
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import errors

from dawn.decode import Options
from dawn.errors import ModelError
from dawn.models import device as devices
from dawn.models import known_models, load_model, model_state, registry
from dawn.models.device import (
    Placement,
    container_memory,
    leave_a_core,
    machine,
    machine_memory,
    to_host,
    total_memory,
    transferred,
    within_memory,
)
from dawn.models.hub import progress_bar
from dawn.models.resident import Resident
from dawn.rules import Dawn
from dawn.run import start
from dawn.thresholds import PRESET_OF, PRESETS, preset_of
from tests.dawn.models import published
from tests.dawn.models.small import small_checkpoint

NAME = "GSAI-ML/LLaDA-8B-Instruct"


@pytest.fixture(scope="module")
def llada(tmp_path_factory) -> Path:
    return published.llada(tmp_path_factory.mktemp("llada"))


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    return small_checkpoint(tmp_path_factory.mktemp("other"))


@pytest.fixture
def broken(tmp_path) -> Path:
    """A checkpoint to be damaged."""
    return published.llada(tmp_path)


def edit(path: Path, **changes) -> None:
    contents = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in contents.items() if value is not None}))


def hub_that_raises(monkeypatch, error: Exception) -> None:
    def snapshot_download(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)


def http_error(kind: type) -> Exception:
    return kind("404 Client Error", response=types.SimpleNamespace(headers={}, status_code=404, request=None))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.LocalEntryNotFoundError("no connection"), "cannot reach the model hub.*check the network"),
        (errors.OfflineModeIsEnabled("offline"), "cannot reach the model hub.*folder of a downloaded checkpoint"),
        (http_error(errors.RepositoryNotFoundError), "the hub has no model GSAI-ML.*check the spelling"),
        (http_error(errors.GatedRepoError), "is gated: accept its conditions.*log in"),
        (TimeoutError("read timed out\nafter 10 s"), "download of .* failed .read timed out.: try again"),
        (OSError("No space left on device"), "No space left on device"),
    ],
)
def test_what_can_go_wrong_at_the_hub(monkeypatch, error, words):
    hub_that_raises(monkeypatch, error)
    with pytest.raises(ModelError, match=words) as raised:
        load_model(NAME)
    assert "\n" not in str(raised.value) and model_state(NAME).words == f"failed: {raised.value}"


def test_an_unreachable_hub_by_the_real_client(monkeypatch, tmp_path):
    """A closed port instead of the hub, an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelError, match="cannot reach the model hub"):
        load_model("nobody/nothing")


def test_from_the_hub_only_data_is_fetched_and_the_architecture_is_checked_first(monkeypatch, llada, broken):
    asked = []

    def snapshot_download(name, allow_patterns, tqdm_class):
        asked.append(allow_patterns)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    folder = llada
    assert load_model("some/where").name == "some/where"
    assert [("*.safetensors" in patterns) for patterns in asked] == [False, True]
    assert not any("py" in pattern or pattern == "*" for patterns in asked for pattern in patterns)
    edit(broken / "config.json", model_type="gpt2")
    folder, count = broken, len(asked)
    with pytest.raises(ModelError, match="architecture"):
        load_model("some/where-else")
    assert len(asked) == count + 1


def test_a_download_reports_the_share_of_its_bytes(capsys):
    seen = []
    bar = progress_bar(lambda stage, fraction: seen.append((stage, fraction)))
    with bar(total=200, unit="B", mininterval=0) as files:
        files.update(50)
        files.update(150)
    with bar(total=3) as count:
        count.update(1)
    assert seen[-1] == ("downloading", 1.0) and ("downloading", 0.25) in seen and len({stage for stage, _ in seen}) == 1
    assert capsys.readouterr() == ("", "")


def no_shard(folder: Path) -> None:
    (folder / "model-00002-of-00003.safetensors").unlink()


def short_shard(folder: Path) -> None:
    shard = folder / "model-00002-of-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])


def noise_shard(folder: Path) -> None:
    (folder / "model-00001-of-00003.safetensors").write_bytes(b"not a safetensors file at all")


def pickled(folder: Path) -> None:
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80")


def one_tensor_less(folder: Path) -> None:
    index = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    from safetensors.torch import load_file, save_file

    name = "model.transformer.blocks.0.ff_out.weight"
    shard = folder / index[name]
    save_file({k: t for k, t in load_file(shard).items() if k != name}, shard, metadata={"format": "pt"})


def config_without(folder: Path, **changes) -> None:
    edit(folder / "config.json", **changes)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_shard, "lacks model-00002-of-00003.safetensors .1 of 3 weight files are missing.: download it again"),
        (short_shard, "weight file model-00002-of-00003.safetensors is damaged"),
        (noise_shard, "weight file model-00001-of-00003.safetensors is damaged"),
        (pickled, "lacks model.safetensors .* in the safetensors format"),
        (one_tensor_less, "not a llada checkpoint: 1 missing tensors .model.layers.0.mlp.down_proj.weight."),
        (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer"),
        (lambda f: (f / "tokenizer.json").write_text("{"), "cannot load the model in"),
        (lambda f: config_without(f, d_model=None), "config.json lacks 'd_model'"),
        (lambda f: config_without(f, mlp_hidden_size=64), "not a llada checkpoint: 15 mismatched tensors"),
        (lambda f: config_without(f, mask_token_id=9999), "token 9999 is none of the network's 320"),
        (lambda f: config_without(f, embedding_size=260), "tokenizer and network do not belong together"),
        (lambda f: config_without(f, n_layers="five"), "cannot load the model in"),
        (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": [1]}'), "cannot load the model in"),
        (lambda f: config_without(f, model_type="mamba"), "architecture 'mamba' is not supported"),
        (lambda f: (f / "config.json").write_text("[]"), "holds no JSON object"),
        (lambda f: (f / "config.json").unlink(), "holds no config.json"),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(broken, damage, words):
    damage(broken)
    with pytest.raises(ModelError, match=words) as raised:
        load_model(str(broken))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 400


def rename_token(folder: Path, token: str) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        path = folder / file
        path.write_text(path.read_text().replace(token, "<other>"))


def test_an_ordinary_model_without_a_mask_token_is_refused(tmp_path):
    published.open_dcoder(tmp_path)
    rename_token(tmp_path, "<M>")
    with pytest.raises(ModelError, match=r"names no mask token: config\.json needs a mask_token_id"):
        load_model(str(tmp_path))


def test_a_checkpoint_without_an_end_is_refused(broken):
    edit(broken / "config.json", eos_token_id=None, pad_token_id=None)
    edit(broken / "tokenizer_config.json", eos_token=None, pad_token=None)
    rename_token(broken, "<|eot_id|>")
    with pytest.raises(ModelError, match="names no end-of-text token"):
        load_model(str(broken))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"device": "cuda"}, "no CUDA device was found: choose --device cpu"),
        ({"device": "cuda:3"}, "no CUDA device"),
        ({"device": "mps"}, "no Apple GPU"),
        ({"device": "toaster"}, "unknown device 'toaster'"),
        ({"device": "meta"}, "not supported"),
        ({"dtype": "int3"}, "dtype must be one of auto, float32"),
        ({"load_in": "2bit"}, "load_in must be one of"),
        ({"device_map": "everywhere"}, "device_map must be one of"),
        ({"load_in": "4bit"}, "--load-in 4bit needs the package bitsandbytes: pip install bitsandbytes"),
        ({"device_map": "auto"}, "--device-map auto needs the package accelerate: pip install accelerate"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(monkeypatch, llada, asked, words):
    monkeypatch.setattr(devices, "find_spec", lambda package: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match=words):
        load_model(str(llada), **asked)


def test_a_cuda_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert Placement(device="cuda:1").pick_device() == torch.device("cuda:1")
    assert Placement().pick_device() == torch.device("cuda")
    with pytest.raises(ModelError, match="there is no cuda:2: this machine has 2"):
        Placement(device="cuda:2").pick_device()


def test_the_numbers_to_compute_in():
    cpu, gpu = torch.device("cpu"), torch.device("mps")
    auto, small, large = Placement(), 10**6, 16 * 10**9
    assert auto.pick_dtype(cpu, torch.bfloat16, small) == torch.float32
    assert auto.pick_dtype(cpu, torch.bfloat16, large) == auto.pick_dtype(gpu, torch.bfloat16, small) == torch.bfloat16
    assert Placement(dtype="float16").pick_dtype(cpu, torch.bfloat16, small) == torch.float16


def test_quantised_weights_need_less_and_go_by_transformers_words(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda package: True)
    four = Placement(load_in="4bit")
    assert four.bytes_needed(16, torch.bfloat16, torch.bfloat16) == 4
    assert Placement().bytes_needed(16, torch.bfloat16, torch.float32) == 32
    arguments = four.arguments(torch.device("cuda"), torch.bfloat16)
    assert arguments["quantization_config"].load_in_4bit and arguments["device_map"] == {"": torch.device("cuda")}
    spread = Placement(device_map="balanced").arguments(torch.device("cuda"), torch.bfloat16)
    assert spread == {"dtype": torch.bfloat16, "device_map": "balanced"}


def test_too_little_memory_is_said_before_anything_is_loaded(monkeypatch, llada):
    monkeypatch.setattr(devices, "machine_memory", lambda: 1000)
    monkeypatch.setattr("dawn.models.loading.load_network", lambda *_: pytest.fail("loaded"))
    with pytest.raises(ModelError, match=r"not enough memory on cpu: the weights need 0\.0 GiB.*choose a smaller model"):
        load_model(str(llada), dtype="bfloat16")


def test_free_memory_as_linux_and_containers_state_it(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 100 kB\nMemAvailable:  64 kB\n")
    assert machine_memory(tmp_path / "meminfo") == 65536 and machine_memory(tmp_path / "none") is None
    for name, text in (("memory.max", "9000\n"), ("memory.current", "5000\n"), ("memory.stat", "anon 1\ninactive_file 700\n")):
        (tmp_path / name).write_text(text)
    assert container_memory(tmp_path) == 4700 and container_memory(tmp_path / "none") is None
    (tmp_path / "memory.max").write_text("max\n")
    assert container_memory(tmp_path) is None


def test_what_the_machine_is_is_told_in_words(tmp_path):
    told = machine()
    assert set(told) == {"Processor", "Memory", "Accelerator", "PyTorch", "transformers", "Python"} and all(told.values())
    (tmp_path / "meminfo").write_text("MemTotal:       2048 kB\nMemAvailable:   64 kB\n")
    assert total_memory(tmp_path / "meminfo", tmp_path) == 2**21 and total_memory(tmp_path / "none", tmp_path) is None
    (tmp_path / "memory.max").write_text("4096\n")
    assert total_memory(tmp_path / "meminfo", tmp_path) == 4096
    (tmp_path / "memory.max").write_text("max\n")
    assert total_memory(tmp_path / "meminfo", tmp_path) == 2**21


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 1), (8, 7)])
def test_a_server_leaves_a_core_in_all_its_threads(monkeypatch, before, after):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    threads, told = torch.get_num_threads(), []
    try:
        torch.set_num_threads(before)
        leave_a_core()
        later = threading.Thread(target=lambda: told.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert [torch.get_num_threads(), *told] == [after, after]
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        leave_a_core()
        assert torch.get_num_threads() == after
    finally:
        torch.set_num_threads(threads)


OUT_OF_MEMORY = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "python": MemoryError,
    "cpu": lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried …"),
    "mps": lambda: RuntimeError("MPS backend out of memory"),
    "system": lambda: OSError(12, "Cannot allocate memory"),
}


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_running_out_of_memory_while_loading(monkeypatch, llada, other, error):
    def load_network(*_):
        raise error()

    monkeypatch.setattr("dawn.models.loading.load_network", load_network)
    with pytest.raises(ModelError, match="out of memory: choose a smaller model"):
        load_model(str(llada), dtype="bfloat16")
    monkeypatch.undo()
    assert load_model(str(other)).encode("x"), "the next load works"


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_running_out_of_memory_in_a_step_ends_the_run_and_nothing_else(monkeypatch, llada, error):
    model = load_model(str(llada))
    run = start(model, "x", Dawn(), 8, 8, Options())
    steps = run.iterate()
    next(steps)
    monkeypatch.setattr(model.network.model, "forward", lambda *_, **__: (_ for _ in ()).throw(error()))
    with pytest.raises(ModelError, match="out of memory: shorten the prompt"):
        next(steps)
    monkeypatch.undo()
    assert len(run.trace().steps) == 1 and list(start(model, "x", Dawn(), 8, 8, Options()).iterate())


def test_other_errors_stay_what_they_are_and_what_was_held_is_freed():
    def work(error: Exception):
        tensor = torch.zeros(3)
        held.append(weakref.ref(tensor))
        raise error

    held = []
    with pytest.raises(RuntimeError, match="shape"):
        within_memory(lambda: work(RuntimeError("shape mismatch")), "advice")
    with pytest.raises(ModelError, match="out of memory: advice") as raised:
        within_memory(lambda: work(MemoryError()), "advice")
    assert raised.value.__context__ is None and held[1]() is None


def test_threads_that_ask_at_once_load_once(monkeypatch, llada):
    loads, original = [], registry.prepared

    def counted(name, *rest):
        loads.append(name)
        return original(name, *rest)

    monkeypatch.setattr(registry, "prepared", counted)
    monkeypatch.setattr(registry, "RESIDENT", Resident())
    found = []
    threads = [threading.Thread(target=lambda: found.append(load_model(str(llada)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1 and len({id(model) for model in found}) == 1


def test_the_former_model_is_let_go_before_the_next_is_loaded(monkeypatch, llada, other):
    former = weakref.ref(load_model(str(llada)))
    from dawn.models import loading

    original = loading.load_network

    def load_network(*arguments):
        assert former() is None
        return original(*arguments)

    monkeypatch.setattr(loading, "load_network", load_network)
    load_model(str(other))
    assert model_state(str(llada)).words.startswith("not loaded") and model_state(str(other)).words == "ready on cpu, float32"


def test_a_run_in_progress_keeps_its_model_to_its_end(llada, other):
    run = start(load_model(str(llada)), "2 + 3?", Dawn(), 16, 8, Options())
    steps = run.iterate()
    next(steps)
    load_model(str(other))
    assert list(steps)[-1].after.is_complete


def test_what_cannot_be_loaded_leaves_the_resident_model(llada):
    model = load_model(str(llada))
    with pytest.raises(ModelError):
        load_model("nowhere")
    assert load_model(str(llada)) is model and model_state("nowhere").words.startswith("failed: unknown model")


def test_stages_are_reported_and_shown_as_state(llada, other):
    load_model(str(other))
    seen = []
    load_model(str(llada), report=lambda stage, fraction: seen.append((stage, fraction, model_state(str(llada)))))
    assert [stage for stage, *_ in seen] == ["looking for its files", "loading the weights"]
    assert (
        all((state.words, state.busy) == (stage + " …", True) for stage, _, state in seen) and not model_state(str(llada)).busy
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_process_inherits_the_model_whatever_a_thread_of_its_parent_was_doing(llada):
    model, hold, held = load_model(str(llada)), threading.Event(), threading.Event()

    def keep_the_lock():
        with registry.RESIDENT.lock:
            held.set()
            hold.wait(60)

    thread = threading.Thread(target=keep_the_lock)
    thread.start()
    held.wait(60)
    if (child := os.fork()) == 0:
        threading.Timer(20, os._exit, (2,)).start()
        os._exit(0 if load_model(str(llada)) is model else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    hold.set()
    thread.join()
    assert code == 0


def test_one_transfer_brings_everything_to_the_host():
    tensors = {
        "tokens": torch.tensor([3, 1, 2]),
        "weights": torch.rand(2, 5)[:, 1:4],
        "none": torch.empty(0, 4),
        "ids": torch.tensor([[7], [8]], dtype=torch.int32),
    }
    for found in (to_host(tensors), transferred({**tensors, "tokens": tensors["tokens"].to(torch.int32)})):
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(found[name], tensor.numpy())
        assert {name: array.dtype.name for name, array in found.items()} == {
            "tokens": "int32", "weights": "float32", "none": "float32", "ids": "int32"
        }  # fmt: skip
    assert to_host({}) == {}


def test_known_models_and_their_presets():
    names = known_models()
    assert names[0] == "embedded" and NAME in names and set(PRESET_OF.values()) <= set(PRESETS)
    with_preset = {name: preset_of(name) for name in names if preset_of(name)}
    assert len(with_preset) == 6 and preset_of("/data/LLaDA-1.5/") == "LLaDA · GSM8K, MATH" and preset_of("/data/x") is None


def test_settings_that_no_package_is_needed_for_need_none(monkeypatch, llada):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert load_model(str(llada), dtype="float32", device="cpu").placed == "cpu, float32"
