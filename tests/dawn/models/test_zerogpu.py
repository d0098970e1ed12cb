"""Decoding in another process, by a stand-in for `spaces` that pickles what goes in and out as the real one does."""

from __future__ import annotations

import importlib
import pickle
import sys
import types

import numpy as np
import pytest

from dawn.decode import Options
from dawn.errors import ModelError
from dawn.models import load_model, model_state, zerogpu
from dawn.rules import Dawn, Klass
from dawn.run import Run, start
from tests.dawn.models.small import small_checkpoint
from viz.lab import Lab
from viz.store import TraceStore


class Spaces(types.ModuleType):
    """Counts calls, remembers how they ended and how large what was pickled is."""

    def __init__(self):
        super().__init__("spaces")
        self.calls, self.closed, self.largest, self.fails = 0, 0, 0, None

    def copied(self, thing):
        data = pickle.dumps(thing)
        self.largest = max(self.largest, len(data))
        return pickle.loads(data)

    def GPU(self, duration):
        return lambda task: lambda *arguments: self.called(task, *arguments)

    def called(self, task, *arguments):
        self.calls += 1
        if self.fails:
            raise self.fails
        steps = task(*self.copied(arguments))
        try:
            for record in steps:
                yield self.copied(record)
        except GeneratorExit:
            self.closed += 1
            raise


@pytest.fixture
def spaces(monkeypatch):
    fake = Spaces()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "spaces", fake)
        importlib.reload(zerogpu)
        yield fake
    importlib.reload(zerogpu)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(small_checkpoint(tmp_path_factory.mktemp("model")))


def run_of(folder: str, rule=Dawn(), decoder=None, generated: int = 16) -> Run:
    return start(load_model(folder), "2 + 3?", rule, generated, 8, Options(), decoder=decoder)


def test_without_the_package_runs_are_decoded_here():
    assert zerogpu.spaces is None and zerogpu.decoder() is None and zerogpu.records_on_gpu is zerogpu.records


@pytest.mark.parametrize("rule", [Dawn(), Klass()], ids=lambda rule: rule.name)
def test_the_records_are_those_of_a_run_in_this_process(spaces, folder, rule):
    here, there = run_of(folder, rule), run_of(folder, rule, zerogpu.decoder())
    for one, other in zip(here.iterate(), there.iterate(), strict=True):
        np.testing.assert_array_equal(one.prediction.confidence, other.prediction.confidence)
        np.testing.assert_array_equal(one.prediction.attention.weights, other.prediction.attention.weights)
        np.testing.assert_array_equal(one.after.tokens, other.after.tokens)
        assert one.decision.selection == other.decision.selection and one.moment == other.moment
    assert spaces.calls == 1 and here.trace().output == there.trace().output
    assert spaces.largest < 200_000, "a step of plain arrays, not a model"


def test_a_record_survives_pickling(folder):
    record = next(run_of(folder).iterate())
    copy = pickle.loads(pickle.dumps(record))
    assert copy.decision.selection == record.decision.selection and (copy.after.tokens == record.after.tokens).all()
    plain = (copy.prediction.confidence, copy.prediction.attention.received, *copy.prediction.alternatives)
    assert all(type(array) is np.ndarray for array in plain)


def test_stopping_reaches_the_other_process(spaces, folder):
    run, stopped = run_of(folder, decoder=zerogpu.decoder()), []
    steps = run.iterate(lambda: bool(stopped))
    next(steps), next(steps)
    stopped.append(True)
    assert list(steps) == [] and spaces.closed == 1 and len(run.steps) == 2


def test_leaving_a_run_reaches_it_too(spaces, folder):
    steps = run_of(folder, decoder=zerogpu.decoder()).iterate()
    next(steps)
    steps.close()
    assert spaces.closed == 1


def test_an_error_there_is_an_error_here(spaces, folder, monkeypatch):
    run = run_of(folder, decoder=zerogpu.decoder())
    monkeypatch.setattr(run.model.network.model, "forward", lambda *_, **__: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(ModelError, match="out of memory: shorten"):
        list(run.iterate())


def test_a_gpu_that_is_not_given_is_said(spaces, folder):
    spaces.fails = Exception("You have exceeded your GPU quota")
    with pytest.raises(ModelError, match=r"GPU quota\): try again"):
        list(run_of(folder, decoder=zerogpu.decoder()).iterate())


def test_the_page_decodes_there(spaces, folder):
    from tests.viz.test_lab import request

    lab = Lab(TraceStore(), load_model, [folder], model_state, zerogpu.decoder())
    last = list(lab.run(request(folder), "me"))[-1]
    assert last["done"] and spaces.calls == 1
    again = list(lab.decode_again(request(folder), {"trace": last["trace"], "step": 1}, "me"))[-1]
    assert again["done"] and spaces.calls == 2
