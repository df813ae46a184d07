"""Files that are called pictures and cannot be used as one, each with what it is to be called."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Final

from PIL import Image

POINTER: Final = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes that Pillow writes for a picture."""
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG, whose checksum is right."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG with these compressed pixels, whatever they are."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _noise() -> Image.Image:
    return Image.frombytes("RGB", (96, 64), random.Random(1).randbytes(96 * 64 * 3))


def _frames(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], form, save_all=True, append_images=frames[1:])


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("picture.png", b"not here")
    return target.getvalue()


def _damaged(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@cache
def odd_pictures() -> Mapping[str, tuple[bytes, str]]:
    """Each odd file's bytes, and words that the message about it has."""
    whole = {form: saved(_noise(), form) for form in ("PNG", "JPEG", "WEBP", "AVIF", "GIF")}
    bare = {form: saved(_noise(), form) for form in ("BMP", "TIFF")}
    cut = {f"cut.{form.lower()}": data[: len(data) // 2] for form, data in (whole | bare).items()}
    texts = {
        "error.png": b'{"error": "not found"}',
        "words.png": b"there is no picture here\n",
        "list.json.png": b"[1, 2, 3]\n",
        "xml.png": b"<?xml version='1.0'?><feed/>",
    }
    named = {
        "page.png": (b"<html><body>404 Not Found</body></html>", "is not a picture but html"),
        "doctype.jpg": (b"<!DOCTYPE html>\n<title>Sign in</title>", "is not a picture but html"),
        "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg' width='9'/>", "is svg"),
        "prolog.png": (b"<?xml version='1.0'?>\n<!-- ours -->\n<svg width='9'></svg>", "is svg"),
        "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "is heic"),
        "layers.png": (b"8BPS\0\x01" + bytes(64), "is psd"),
        "print.png": (b"%PDF-1.7\n" + bytes(64), "is pdf"),
        "new.jpg": (b"\xff\x0a" + bytes(64), "is jpeg xl"),
        "old.jpg": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64), "is jpeg 2000"),
        "site.png": (
            b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0 \0\x04\0\0\0\x16\0\0\0\0\0\0\0",
            "is ico",
        ),
    }
    plain = {
        "sixteen.png": "no picture".encode("utf-16"),
        "zeros.png": bytes(1024),
        "random.png": random.Random(2).randbytes(1024),
        "archive.png": _zip(),
        "film.png": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64),
        "sound.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
        "one.png": b"\x89",
    }
    broken = {
        "head.png": whole["PNG"][:33],
        "flipped.png": _damaged(whole["PNG"]),
        "sour.png": png(8, 8, b"these are no pixels"),
        "short.png": png(64, 64, zlib.compress(bytes(64))),
        "endless.png": whole["PNG"][:-12],
        "nearly.png": whole["PNG"][:-1],
        "markers.jpg": b"\xff\xd8\xff\xd9",
        "nearly.jpg": whole["JPEG"][:-2],
        "nothing.png": png(0, 0, b""),
        "flat.bmp": bare["BMP"][:18] + bytes(8) + bare["BMP"][26:],
    }
    return {
        "empty.png": (b"", "is empty"),
        "pointer.png": (POINTER, "is a Git LFS pointer"),
        "bomb.png": (png(13000, 13000, zlib.compress(b"")), "is too large: 13000x13000"),
        "float.tiff": (saved(Image.new("F", (8, 8)), "TIFF"), "has floating-point pixels"),
        "moving.gif": (_frames("GIF"), "is animated"),
        "moving.webp": (_frames("WEBP"), "is animated"),
        "moving.png": (_frames("PNG"), "is animated"),
        **{name: (data, "is not a picture but text") for name, data in texts.items()},
        **named,
        **{name: (data, "is not a picture") for name, data in plain.items()},
        **{name: (data, "is damaged or cut off") for name, data in (cut | broken).items()},
    }
