"""Paint a picture of a house, so that a demonstration needs no file of anybody's."""

import io

from PIL import Image, ImageDraw

SIZE = (1024, 768)


def house(*, evening: bool = False) -> bytes:
    """Paint a house on a meadow, by day or in the evening, as JPEG."""
    top, bottom = ((38, 44, 92), (242, 142, 90)) if evening else ((92, 158, 226), (214, 236, 250))
    picture = _sky(top, bottom)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((760, 90, 860, 190), fill=(255, 226, 150))
    draw.rectangle((0, 560, *SIZE), fill=(78, 104, 60) if evening else (116, 172, 84))
    draw.polygon([(420, 768), (600, 768), (540, 560), (500, 560)], fill=(196, 178, 150))
    draw.rectangle((300, 340, 740, 600), fill=(236, 226, 208))
    draw.polygon([(260, 350), (520, 190), (780, 350)], fill=(150, 72, 58))
    draw.rectangle((480, 450, 560, 600), fill=(110, 74, 52))
    for left in (340, 620):
        draw.rectangle((left, 410, left + 84, 500), fill=(255, 214, 120) if evening else (170, 206, 226))
        draw.line((left + 42, 410, left + 42, 500), fill=(90, 90, 90), width=4)
    draw.ellipse((80, 380, 220, 540), fill=(64, 110, 60))
    draw.rectangle((140, 520, 160, 600), fill=(96, 68, 48))
    return _jpeg(picture)


def _sky(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    column = Image.new("RGB", (1, SIZE[1]))
    for row in range(SIZE[1]):
        share = row / SIZE[1]
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))
        column.putpixel((0, row), (red, green, blue))
    return column.resize(SIZE)


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()
