"""The plan's memory estimate beside the measured peak of the worker, on a CPU, at six settings.

A Llama of 27 M random weights (built here; memory does not depend on what a model knows). The formula for a GPU is the
same but for bytes a number and the fixed part; it is not measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.training.plan.plan import make_plan
from engine.training.runs.launch import choose_spec, launch
from engine.training.runs.status import is_alive, read_run, tail_events

SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("full, 2 rows", {"method": "full", "micro_batch": 2}),
    ("full, 8 rows", {"method": "full", "micro_batch": 8}),
    ("full, 8 rows, recomputed", {"method": "full", "micro_batch": 8, "activation_checkpointing": True}),
    ("LoRA, 2 rows", {"method": "lora", "micro_batch": 2}),
    ("LoRA, 8 rows", {"method": "lora", "micro_batch": 8}),
    ("LoRA, 16 rows", {"method": "lora", "micro_batch": 16}),
)
WORDS = "please sort the ticket about the late order of lamps and chairs into a record of its kind " * 12


def make_model(folder: Path, base: str) -> None:
    """A model of random weights with the built-in model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(base)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=512, intermediate_size=1376, num_hidden_layers=8,
            num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=1024, tie_word_embeddings=True,
            pad_token_id=0, eos_token_id=2, bos_token_id=None,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    # Freed tensors go back to the system at once: what is measured is what is held, not how malloc keeps its heap.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"
    rows = tuple(
        TrainingRow(f"r{n}", ({"role": "user", "content": f"Ticket {n}"}, {"role": "assistant", "content": WORDS}))
        for n in range(16)
    )
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder = Path(name)
        first = launch(
            choose_spec(name="base", rows=16, settings={"steps": 1, "save_strategy": "no"}), rows, (), folder
        )
        while is_alive(first.dir):
            time.sleep(0.05)
        make_model(folder / "model", json.loads((first.dir / "settings.json").read_text())["model_source"])
        # Three steps: in the first neither gradients nor moments are there while activations are.
        for words, settings in SETTINGS:
            chosen = {"batch": 16, "steps": 3, "max_length": 256, "threads": 1, "save_strategy": "no", **settings}
            spec = choose_spec(name="memory", rows=16, model=str(folder / "model"), settings=chosen)
            estimate = make_plan(spec, rows, (), runs_dir=folder).vram_gb
            run = launch(spec, rows, (), folder)
            while is_alive(run.dir):
                time.sleep(0.05)
            if read_run(run.dir).state != "finished":
                raise SystemExit(f"{words}: {read_run(run.dir).error}")
            peak = max(event["rss_peak_mb"] for event in tail_events(run.dir)[0] if event["ev"] == "mem") / 1000
            value = estimate.value or 0.0
            print(
                f"{words:<26} estimate {value:5.2f} GB   peak {peak:5.2f} GB   off by {value / peak - 1:+.0%}",
                flush=True,
            )
            print(f"{'':<26} {estimate.reason}")


if __name__ == "__main__":
    main()
