"""The built-in model: a Llama of 0.2 M parameters, pre-trained once on the shipped text and kept in the user's cache.

Small enough to be trained in seconds on one core, and enough to tell clean rows from junk on a narrow task. It is
fine-tuned in full: LoRA on so small a base learns nothing (measured).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from .templates import CHATML_TEMPLATE

RECIPE: dict[str, Any] = {
    "version": 1,
    "vocabulary": 2000,
    "hidden": 64,
    "layers": 2,
    "heads": 4,
    "positions": 1024,
    "spread": 0.08,
    "tokens": 300_000,
    "block": 128,
    "batch": 16,
    "learning_rate": 5e-3,
    "warmup": 20,
    "floor": 0.02,
    "seed": 0,
}

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/tamis`, else `~/.cache/tamis`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tamis"


def ensure(text_path: Path, *, progress: Callable[[int, int], None], cache: Path | None = None) -> Path:
    """The folder of the pre-trained model, made first where the cache lacks it.

    The name is a hash of text, recipe and chat template. Of several processes that want it at once one makes it and
    the others wait; it appears by a rename, so a half-made one is never seen. `progress(done, of)` is called each
    step, or with (0, 0) while another process is at it, and may raise to give up.
    """
    text = chat_text(text_path.read_text(encoding="utf-8"))
    recipe = json.dumps(RECIPE, sort_keys=True) + CHATML_TEMPLATE  # it is saved with the tokenizer
    folder = cache or cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"tiny-base-{hashlib.blake2b((recipe + text).encode(), digest_size=8).hexdigest()}"
    if target.is_dir():
        return target
    with (folder / f"{target.name}.lock").open("w") as lock:
        while not taken(lock):
            progress(0, 0)
            time.sleep(0.1)
        if not target.is_dir():
            for left in folder.glob(f".{target.name}.*"):  # by a process that was killed: the lock is ours
                shutil.rmtree(left, ignore_errors=True)
            unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=folder))
            try:
                pretrain(text, unfinished, progress)
                unfinished.chmod(0o755)
                unfinished.rename(target)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return target


def taken(lock: IO[str]) -> bool:
    """Try to lock the file; a blocking call would not hear a request to stop."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def chat_text(text: str) -> str:
    """The text as the model will meet it: a paragraph is what a user says, and a record closing it the reply.

    A record is a last line that begins with a brace. Text that holds chat marks already is left as it is.
    """
    if START in text:
        return text
    return "".join(chat_turns(paragraph.strip()) for paragraph in text.split("\n\n"))


def chat_turns(paragraph: str) -> str:
    """One paragraph as chat turns, marks included."""
    words, _, record = paragraph.rpartition("\n")
    if not record.startswith("{"):
        words, record = paragraph, ""
    turns = (("user", words), ("assistant", record))
    return "".join(f"{START}{role}\n{content}{END}\n" for role, content in turns if content)


def pretrain(text: str, folder: Path, progress: Callable[[int, int], None]) -> None:
    """Train tokenizer and model on `text` (chat marks included) and save both in `folder`."""
    import torch

    tokenizer = train_tokenizer(text)
    stream = torch.tensor(tokenizer.backend_tokenizer.encode(text).ids)
    torch.manual_seed(RECIPE["seed"])
    model = new_model(len(tokenizer))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=RECIPE["learning_rate"], betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    block, batch, warmup, floor = (RECIPE[name] for name in ("block", "batch", "warmup", "floor"))
    steps = max(1, RECIPE["tokens"] // (block * batch))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup) * max(floor, 1 - (1 - floor) * step / steps)
    )
    draw = random.Random(RECIPE["seed"])
    last_start = len(stream) - block - 1
    for step in range(steps):
        progress(step, steps)
        starts = [draw.randint(0, max(0, last_start)) for _ in range(batch)]
        blocks = torch.stack([stream[start : start + block + 1] for start in starts])
        logits = model(input_ids=blocks[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), blocks[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "recipe.json").write_text(json.dumps({**RECIPE, "last_loss": loss.item()}, indent=1), encoding="utf-8")


def train_tokenizer(text: str) -> Any:
    """Byte-level BPE learnt from `text`: it can write any text, and common words of the field are one piece."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=RECIPE["vocabulary"],
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text.splitlines(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[START],
        chat_template=CHATML_TEMPLATE,
        model_max_length=RECIPE["positions"],
        clean_up_tokenization_spaces=False,
    )


def new_model(vocabulary: int) -> Any:
    """A Llama with random weights, float32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    hidden = RECIPE["hidden"]
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            intermediate_size=int(8 * hidden / 3) // 32 * 32,
            num_hidden_layers=RECIPE["layers"],
            num_attention_heads=RECIPE["heads"],
            num_key_value_heads=RECIPE["heads"],
            max_position_embeddings=RECIPE["positions"],
            initializer_range=RECIPE["spread"],  # the usual 0.02 suits wide models; here it delays all attention
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=2,
        )
    )
