"""Tiny pipelines with random weights, made from configuration: nothing is fetched."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import diffusers
import safetensors.torch
import tokenizers
import torch
import transformers

_CHAT: Final = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"
_PARTS: Final = (
    "{% for m in messages %}{{ m['role'] }} {% for c in m['content'] %}"
    "{{ c['text'] if c['type'] == 'text' else '[IMG]' }} {% endfor %}{% endfor %}"
)
_WORDS: Final = ("a", "the", "fox", "in", "of", "and", "red", "blue", "house", "cat", "scarf")
_TEXT: Final[dict[str, Any]] = {
    "vocab_size": 128,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 1024,
}


def klein(folder: Path, seed: int = 0) -> Path:
    """A distilled Flux2KleinPipeline: 28 text layers, so that the usual output layers exist."""
    torch.manual_seed(seed)
    config = transformers.Qwen3Config(**_TEXT, num_hidden_layers=28, tie_word_embeddings=True)
    pipeline = diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=_vae(),
        text_encoder=transformers.Qwen3ForCausalLM(config),
        tokenizer=tokenizer(),
        transformer=_transformer(guidance=False),
        is_distilled=True,
    )
    pipeline.save_pretrained(folder)
    return folder


def dev(folder: Path, seed: int = 0) -> Path:
    """A Flux2Pipeline: 30 text layers, so that the usual output layers exist.

    Its processor, which rewrites prompts, needs torchvision; without that it is a tokenizer alone.
    """
    torch.manual_seed(seed)
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    config = transformers.Mistral3Config(
        text_config=transformers.MistralConfig(**_TEXT, num_hidden_layers=30),
        vision_config=transformers.PixtralVisionConfig(
            **vision, num_attention_heads=2, image_size=1024, patch_size=16
        ),
        image_token_index=len(_WORDS) + 2,
        spatial_merge_size=1,
    )
    encoder = transformers.Mistral3ForConditionalGeneration(config)
    encoder.generation_config.eos_token_id = list(range(64, 128))  # what it writes is soon over
    pipeline = diffusers.Flux2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=_vae(),
        text_encoder=encoder,
        tokenizer=_processor(),
        transformer=_transformer(guidance=True),
    )
    pipeline.save_pretrained(folder)
    return folder


def lora(file: Path) -> Path:
    """A LoRA for the transformer of either pipeline, strong enough to be seen."""
    torch.manual_seed(1)
    layer = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {f"{layer}.lora_{part}.weight": torch.randn(4, 16) * 9 for part in "AB"}
    tensors[f"{layer}.lora_B.weight"] = tensors[f"{layer}.lora_B.weight"].T.contiguous()
    safetensors.torch.save_file(tensors, file)
    return file


def _vae() -> Any:
    return diffusers.AutoencoderKLFlux2(
        block_out_channels=(4, 4, 4, 4), layers_per_block=1, latent_channels=4, norm_num_groups=1
    )


def _processor() -> Any:
    """What reads words and pictures for dev, if there is torchvision, else what reads words."""
    words = tokenizer(_PARTS)
    if not importlib.util.find_spec("torchvision"):
        return words
    words.add_special_tokens({"additional_special_tokens": ["[IMG]", "[IMG_BREAK]", "[IMG_END]"]})
    return transformers.PixtralProcessor(
        image_processor=transformers.PixtralImageProcessor(),
        tokenizer=words,
        patch_size=16,
        spatial_merge_size=1,
        chat_template=_PARTS,
    )


def _transformer(*, guidance: bool) -> Any:
    return diffusers.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=48,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance,
    )


def tokenizer(chat: str = _CHAT) -> Any:
    """A tokenizer of a few words."""
    words = {word: number for number, word in enumerate(["<pad>", "<unk>", *_WORDS])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", unk_token="<unk>", chat_template=chat
    )
