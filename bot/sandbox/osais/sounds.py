"""Speech for the simulated coquitts: a short note for each word, as WAV; call it off the event loop."""

from __future__ import annotations

import array
import hashlib
import io
import math
import sys
import wave

RATE = 16_000
_NOTE_SECONDS = 0.16
_LONGEST_WORDS = 40
#: A pentatonic scale, so that whatever is said sounds well.
_SCALE = (220.0, 247.5, 277.2, 330.0, 370.0, 440.0, 495.0)


def speech(words: str, *, index: int) -> bytes:
    """A mono 16 bit WAV; the same words and index give the same bytes."""
    samples = array.array("h")
    for word in words.split()[:_LONGEST_WORDS] or ["silence"]:
        digest = hashlib.sha256(f"{word.lower()}/{index}".encode()).digest()
        samples.extend(_note(_SCALE[digest[0] % len(_SCALE)], round(RATE * _NOTE_SECONDS)))
    return wav(samples)


def wav(samples: array.array[int]) -> bytes:
    """The samples in a WAV file."""
    if sys.byteorder == "big":
        samples.byteswap()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return buffer.getvalue()


def _note(frequency: float, length: int) -> array.array[int]:
    return array.array(
        "h",
        [
            round(9000 * math.sin(math.tau * frequency * n / RATE) * math.sin(math.pi * n / length) ** 0.5)
            for n in range(length)
        ],
    )
