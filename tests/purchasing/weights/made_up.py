"""Folders that look like weights, without any that a library could load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

INDEX: Final = {
    "_class_name": "Flux2KleinPipeline",
    "is_distilled": True,
    "transformer": ["diffusers", "Flux2Transformer2DModel"],
    "text_encoder": ["transformers", "Qwen3ForCausalLM"],
    "feature_extractor": [None, None],
}


def weights(folder: Path, **index: object) -> Path:
    """A folder of weights; what is given replaces entries of its index."""
    files = {
        "model_index.json": json.dumps(INDEX | index),
        "transformer/config.json": "{}",
        "transformer/model.safetensors": "weights",
        "README.md": "# weights",
        ".cache/huggingface/download/model.bin": "of another tool",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder
