"""The two parts of gpu_check that hold torch themselves, each a process: the models, and bare TRL.

The last line of standard output is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHAPES: dict[str, dict[str, int | bool]] = {
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": True},
    "8B": {"hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": False},
}  # fmt: skip
"""The sizes of Llama 3.2 1B and Llama 3.1 8B; weights are random, which takes as long and as much memory."""

REHEARSED: dict[str, dict[str, int | bool]] = {
    name: {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": layers, "num_attention_heads": 4,
           "num_key_value_heads": 2, "vocab_size": 2048, "tie_word_embeddings": name == "1B"}
    for name, layers in (("1B", 2), ("8B", 3))
}  # fmt: skip


def make(folder: Path, text: Path) -> dict[str, Any]:
    """Write both models, on the GPU's own dice where there is one. Returns what they are and how long they took."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from engine.training.worker.builtin import train_tokenizer

    on_gpu = torch.cuda.is_available()
    tokenizer = train_tokenizer(text.read_text(encoding="utf-8")[:200_000])
    tokenizer.model_max_length = 8192
    made: dict[str, Any] = {}
    for name, shape in (SHAPES if on_gpu else REHEARSED).items():
        began = time.monotonic()
        config = LlamaConfig(**shape, max_position_embeddings=8192, pad_token_id=0, eos_token_id=2, bos_token_id=None)
        torch.manual_seed(0)
        dtype = torch.bfloat16 if on_gpu else torch.float32
        config.dtype = dtype
        torch.set_default_dtype(dtype)
        with torch.device("cuda" if on_gpu else "cpu"):
            model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        parameters = sum(weight.numel() for weight in model.parameters())
        made[name] = {"parameters": parameters, "seconds": round(time.monotonic() - began, 1)}
        del model
    return made


def bare(model: str, data: str, settings: dict[str, Any]) -> dict[str, Any]:
    """TRL's own trainer with the same adapter, batch and length, in bfloat16 without recomputation: seconds a step."""
    import torch
    from datasets import load_dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    on_gpu = torch.cuda.is_available()
    times: list[float] = []
    tokens: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]  # an untyped class
        def on_log(self, *_: Any, logs: Any = None, **__: Any) -> None:
            if "loss" in logs:
                times.append(time.monotonic())
                tokens.append(float(logs["num_tokens"]))

    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as out:
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16 if on_gpu else torch.float32),
            args=SFTConfig(
                output_dir=out, use_cpu=not on_gpu, bf16=on_gpu, assistant_only_loss=True, report_to="none",
                max_steps=settings["steps"], per_device_train_batch_size=settings["micro_batch"],
                gradient_accumulation_steps=settings["batch"] // settings["micro_batch"], save_strategy="no",
                learning_rate=1e-4, max_length=settings["max_length"], logging_steps=1, disable_tqdm=True,
                activation_checkpointing=False,
            ),
            train_dataset=load_dataset("json", data_files=data, split="train", cache_dir=f"{out}/cache"),
            processing_class=AutoTokenizer.from_pretrained(model),
            peft_config=LoraConfig(**settings["lora"]),
            callbacks=[Clock()],
        )  # fmt: skip
        trainer.train()
    skipped = settings["skipped"]
    peak = round(torch.cuda.max_memory_allocated() / 1e9, 2) if on_gpu else None
    seconds, seen = times[-1] - times[skipped], tokens[-1] - tokens[skipped]
    return {"tokens_per_second": round(seen / seconds, 1), "peak_gb": peak}


def main() -> None:
    word, *rest = sys.argv[1:]
    if word == "make":
        told = make(Path(rest[0]), Path(rest[1]))
    else:
        told = bare(rest[0], rest[1], json.loads(rest[2]))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
