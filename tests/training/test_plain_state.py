"""The trainer's state goes to disk and back without a pickle, to the bit."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training.worker.checkpoints import pickles_in
from engine.training.worker.plain_state import is_saved, load_state, save_state


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=0.1 + 0.2)
    weight.sum().backward()
    optimizer.step()
    for name, state in {
        "optimizer": optimizer.state_dict(),
        "chance": {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()},
        "odd": {
            "nan": float("nan"),
            "inf": float("-inf"),
            3: (1, [None, True]),
            "half": torch.ones((), dtype=torch.bfloat16),
        },
        "empty": {},
    }.items():
        save_state(state, tmp_path, name)
        assert is_saved(tmp_path, name)
        assert repr(load_state(tmp_path, name)) == repr(dict(state))
    random.setstate(load_state(tmp_path, "chance")["python"])
    np.random.set_state(load_state(tmp_path, "chance")["numpy"])
    optimizer.load_state_dict(load_state(tmp_path, "optimizer"))
    assert pickles_in(tmp_path) == []


def test_what_wants_a_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="of type object"):
        save_state({"step": object()}, tmp_path, "optimizer")
