"""Texts as vectors by a local embedding model: `main.py embed REQUEST.json ANSWER.json`.

REQUEST names `model` (a folder), `texts` (a JSON file: a list of strings) and `vectors` (the file to write: float32,
row by row). The mean of the last hidden states over a text's own tokens, at length one (Reimers and Gurevych 2019).
Nothing is fetched; only safetensors are read and no remote code runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .preflight import Progress, answer_request

BATCH = 32
LONGEST = 256


def main(arguments: Sequence[str]) -> None:
    """Answer one request; the answer says `rows` and `dimensions`, or `error`."""
    answer_request(arguments, embed)


def embed(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the vectors. Raises ValueError where the folder holds no model that gives any."""
    progress("loading the embedding model")
    import torch
    from transformers import AutoModel, AutoTokenizer

    from .model_folder import check_model_folder

    check_model_folder(Path(request["model"]))
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(request["model"], **local)
        model = AutoModel.from_pretrained(request["model"], use_safetensors=True, **local).eval()
    except OSError as fault:
        raise ValueError(f"embedding model {request['model']} cannot be loaded: {fault}") from fault
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    # Padding on the right keeps a text's positions what they are without its neighbours in the batch.
    tokenizer.padding_side = "right"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    texts = json.loads(Path(request["texts"]).read_bytes())
    width = 0
    with Path(request["vectors"]).open("wb") as out, torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            progress("embedding", start, len(texts))
            # A text without a token would divide by nothing.
            batch = [text or "." for text in texts[start : start + BATCH]]
            tokens = tokenizer(batch, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt").to(device)
            states = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            vectors = torch.nn.functional.normalize(mean.float(), dim=1).cpu().numpy()
            width = vectors.shape[1]
            out.write(vectors.tobytes())
    return {"rows": len(texts), "dimensions": width}
