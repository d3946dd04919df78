"""Say whether a topic binding takes a routing key, as a topic exchange would."""

from collections.abc import Sequence


def takes(binding: str, routing_key: str) -> bool:
    """Match word by word: `*` stands for exactly one word, `#` for any number of them, none included."""
    return _takes(binding.split("."), routing_key.split("."))


def _takes(pattern: Sequence[str], words: Sequence[str]) -> bool:
    # `fits[n]` says whether the pattern so far can end before word n.
    fits = [True] + [False] * len(words)
    for piece in pattern:
        if piece == "#":
            first = fits.index(True) if True in fits else len(fits)
            fits = [place >= first for place in range(len(fits))]
        else:
            fits = [False] + [fits[place] and piece in ("*", word) for place, word in enumerate(words)]
    return fits[-1]
