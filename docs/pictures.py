"""Takes the README's pictures from the site of `make demo`, in both themes.

    python docs/pictures.py [--browser chromium]

Needs a Chromium. The pictures are reduced to 256 colours, so that a clone stays small.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "images"
WIDTH, HEIGHT, SCALE = 1180, 1330, 1.2
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOURS: Final = 256

Bytes = NDArray[np.uint8]


def main() -> None:
    """Build the site, photograph its first page, write docs/images."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--browser", default="chromium")
    browser = parser.parse_args().browser
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        config = ROOT / "sample_project" / "readiness.toml"
        gonogo = [sys.executable, "-m", "gonogo", "build", ROOT / "sample_logs", "-c", config]
        state = folder / "state"
        subprocess.run([*gonogo, "-o", site, "--state", state, "--quiet"], cwd=folder, check=False)
        page = (site / "index.html").read_text(encoding="utf-8")
        for theme in ("light", "dark"):
            themed = page.replace("<html ", f'<html data-theme="{theme}" ', 1)
            if themed == page:
                raise SystemExit("the page has no <html …> to set a theme on")
            (site / "index.html").write_text(themed, encoding="utf-8")
            shot = folder / f"{theme}.png"
            photograph(browser, site / "index.html", shot, folder / f"profile-{theme}")
            small = encode(decode(shot.read_bytes()))
            (IMAGES / f"readiness-{theme}.png").write_bytes(small)
            print(f"docs/images/readiness-{theme}.png: {len(small) / 1000:.0f} kB")


def photograph(browser: str, page: Path, out: Path, profile: Path) -> None:
    """A PNG of the first screen of a page."""
    found = shutil.which(browser)
    if found is None:
        raise SystemExit(f"{browser} is not installed; name another one with --browser")
    command = [
        *(found, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *(f"--user-data-dir={profile}", f"--screenshot={out}", "--no-first-run"),
        *(f"--window-size={WIDTH},{HEIGHT}", f"--force-device-scale-factor={SCALE}"),
        page.as_uri(),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def decode(png: bytes) -> Bytes:
    """Pixels of an 8-bit RGB or RGBA picture that is not interlaced, shape (height, width, 3)."""
    chunks: list[tuple[bytes, bytes]] = []
    at = len(_SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or colour not in (2, 6) or interlaced:
        raise ValueError("not an 8-bit RGB picture")
    channels = 3 if colour == 2 else 4
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    rows = np.frombuffer(data, dtype=np.uint8).reshape(height, 1 + width * channels)
    pixels = np.zeros((height + 1, width + 1, channels), dtype=np.uint8)
    for y in range(height):
        row = rows[y, 1:].reshape(width, channels)
        pixels[y + 1, 1:] = _unfilter(int(rows[y, 0]), row, pixels[y])
    return np.ascontiguousarray(pixels[1:, 1:, :3])


def _unfilter(kind: int, row: Bytes, above: Bytes) -> Bytes:
    """A row as it was before the PNG filter; `above` has an empty pixel before its first."""
    if kind == 0:
        return row
    if kind == 1:
        return np.cumsum(row, axis=0, dtype=np.uint8)
    if kind == 2:
        return row + above[1:]
    out = np.zeros((len(row) + 1, row.shape[1]), dtype=np.int64)
    upper = above.astype(np.int64)
    for x in range(len(row)):
        a, b, c = out[x], upper[x + 1], upper[x]
        if kind == 3:
            guess = (a + b) // 2
        else:
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            guess = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        out[x + 1] = (row[x] + guess) % 256
    return out[1:].astype(np.uint8)


def encode(pixels: Bytes) -> bytes:
    """A PNG of the most frequent 256 colours; every other one becomes the nearest of them."""
    height, width, _ = pixels.shape
    packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    colours, index, counts = np.unique(packed, return_inverse=True, return_counts=True)
    chosen = np.sort(np.argsort(-counts, kind="stable")[:_COLOURS])
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    nearest = np.empty(len(colours), dtype=np.uint8)
    for start in range(0, len(colours), 4096):
        part = rgb[start : start + 4096, None, :] - rgb[chosen][None, :, :]
        nearest[start : start + 4096] = np.argmin((part**2).sum(axis=2), axis=1)
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = nearest[index.reshape(height, width)]
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = rgb[chosen].astype(np.uint8).tobytes()
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows.tobytes(), 9)))
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


if __name__ == "__main__":
    main()
