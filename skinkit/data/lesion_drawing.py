"""Drawing of images that look like dermoscopy, for teaching and tests; nothing here is a real lesion."""

import functools
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

_SIDE = 192  # pixels of the square a lesion is drawn in once, before each view of it is taken
_RADIUS = 60.0


@dataclass(frozen=True)
class Style:
    """What a diagnosis looks like, as numbers: shares and strengths from 0 to 1, colours RGB 0 to 255.

    Args:
        inner, outer: Colours of the lesion's centre and rim.
        irregular: How much the border departs from an ellipse.
        sharp: How abruptly the border ends.
        mottled: How unevenly the two colours are mixed.
        network, globules, streaks, veil, cysts, vessels, scale, lagoons, white_centre: Strength of the
            dermoscopic structures.
    """

    inner: tuple[float, float, float]
    outer: tuple[float, float, float]
    irregular: float = 0.15
    sharp: float = 0.5
    mottled: float = 0.2
    network: float = 0.0
    globules: float = 0.0
    streaks: float = 0.0
    veil: float = 0.0
    cysts: float = 0.0
    vessels: float = 0.0
    scale: float = 0.0
    lagoons: float = 0.0
    white_centre: float = 0.0


STYLES = {
    "nv": Style((108, 68, 48), (146, 98, 72), 0.12, 0.45, 0.2, network=0.6, globules=0.35),
    "mel": Style(
        *((72, 46, 42), (118, 76, 58), 0.45, 0.5, 0.65),
        **{"network": 0.45, "globules": 0.35, "streaks": 0.6, "veil": 0.65},
    ),
    "bkl": Style((150, 116, 86), (134, 98, 74), 0.25, 0.8, 0.4, cysts=0.75, globules=0.25),
    "bcc": Style((196, 136, 126), (202, 152, 140), 0.3, 0.25, 0.3, vessels=0.8, veil=0.3),
    "akiec": Style((200, 122, 112), (206, 146, 130), 0.35, 0.15, 0.4, scale=0.75, vessels=0.25),
    "vasc": Style((136, 36, 56), (164, 60, 72), 0.2, 0.75, 0.25, lagoons=0.85),
    "df": Style((196, 158, 138), (164, 116, 94), 0.12, 0.2, 0.2, white_centre=0.75, network=0.35),
}


def blend(style, other, share):
    """Returns the style in between: `share` of `other`, the rest of `style`."""
    mixed = {
        f.name: (1 - share) * np.asarray(getattr(style, f.name)) + share * np.asarray(getattr(other, f.name))
        for f in fields(Style)
    }
    return Style(**mixed)


def vary(style, rng, darker=0.0):
    """Returns a lesion's own style: its diagnosis' with chance in every number, `darker` in grey levels."""
    colours = {
        name: np.clip(
            np.asarray(getattr(style, name)) + rng.normal(0, 10, 3) + rng.normal(0, 14) - darker, 8, 250
        )
        for name in ("inner", "outer")
    }
    strengths = {
        f.name: float(np.clip(getattr(style, f.name) * rng.uniform(0.3, 1.4) + rng.normal(0, 0.05), 0, 1))
        for f in fields(Style)
        if f.name not in colours
    }
    return replace(style, **colours, **strengths)


def draw_canonical(style, rng):
    """Draws a lesion once, centred: uint8 `(192, 192, 4)`, RGB and opacity."""
    radius, angle = _polar()
    distance = radius / _border(style, rng)[angle]
    pixels = _ground(style, distance, rng)
    for strength, draw in (
        (style.network, _network),
        (style.globules, _globules),
        (style.streaks, _streaks),
        (style.veil, _veil),
        (style.lagoons, _lagoons),
        (style.vessels, _vessels),
        (style.scale, _scale),
        (style.white_centre, _white_centre),
        (style.cysts, _cysts),
    ):
        if strength > 0.08:
            pixels = draw(pixels, strength, rng)
    softness = 0.04 + 0.3 * (1 - style.sharp)
    opacity = np.clip((1 - distance) / softness + 0.5, 0, 1) * 255
    return cv2.merge([*np.clip(pixels, 0, 255), opacity]).astype(np.uint8)


@functools.cache
def _polar():
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32) - _SIDE / 2
    radius, angle = cv2.cartToPolar(x, y)
    return radius, np.minimum((angle * (360 / (2 * np.pi))).astype(np.int32), 359)


def _border(style, rng):
    """Radius of the border in pixels for each degree."""
    degrees = np.deg2rad(np.arange(360, dtype=np.float32))
    outline = 1 + rng.uniform(0.05, 0.2) * np.cos(2 * degrees + rng.uniform(0, 6.3))
    for order in range(3, 10):
        height = style.irregular * rng.normal(0, 0.35) / order**0.7
        outline += height * np.cos(order * degrees + rng.uniform(0, 6.3))
    return (_RADIUS * np.clip(outline, 0.4, 1.45)).astype(np.float32)


def _clouds(rng, cells, size=(_SIDE, _SIDE)):
    """A smooth random field, about -1 to 1."""
    small = rng.normal(0, 0.6, (cells, cells)).astype(np.float32)
    return cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)


def _ground(style, distance, rng):
    lean = rng.normal(0, style.mottled, 2).astype(np.float32)
    x = np.linspace(-1, 1, _SIDE, dtype=np.float32)
    uneven = style.mottled * _clouds(rng, 6) + np.add.outer(lean[0] * x, lean[1] * x)
    share = np.clip(distance + uneven, 0, 1)
    inner, outer = (np.asarray(colour, np.float32) for colour in (style.inner, style.outer))
    return inner[:, None, None] + share * (outer - inner)[:, None, None]


def _points(rng, count, spread=0.75):
    """Positions inside the lesion, in pixels."""
    reach = _RADIUS * spread * np.sqrt(rng.uniform(0, 1, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([reach * np.cos(angle), reach * np.sin(angle)], 1) + _SIDE / 2


def _tint(pixels, stencil, colour, opacity):
    """Lays a colour over the planes `(3, 192, 192)`, in place, where the stencil, 0 to 255, is set."""
    share = stencil.astype(np.float32) * np.float32(opacity / 255)
    for plane, value in zip(pixels, colour, strict=True):
        plane += share * (np.float32(value) - plane)
    return pixels


def _dots(rng, count, sizes, spread=0.75):
    stencil = np.zeros((_SIDE, _SIDE), np.uint8)
    for (x, y), size in zip(_points(rng, count, spread), rng.uniform(*sizes, count), strict=True):
        cv2.circle(stencil, (round(x * 8), round(y * 8)), round(size * 8), 255, -1, cv2.LINE_AA, shift=3)
    return stencil


def _network(pixels, strength, rng):
    """A net of brown lines: a sheared grid whose lines waver."""
    spacing, phase = float(rng.uniform(7, 10)), rng.uniform(0, 6.3, 2)
    place = np.arange(_SIDE, dtype=np.float32)
    x, y = place[None] + 5 * _clouds(rng, 9), place[:, None] + 5 * _clouds(rng, 9)
    wave, phase = 2 * np.pi / spacing, phase.astype(np.float32)
    lines = np.maximum(np.cos(wave * x + phase[0]), np.cos(wave * (0.5 * x + 0.87 * y) + phase[1]))
    shade = np.clip(lines - 0.45, 0, 1) * 1.6 * strength
    return pixels * (1 - 0.55 * shade)


def _globules(pixels, strength, rng):
    stencil = _dots(rng, int(8 + 40 * strength), (1.2, 3.2))
    return _tint(pixels, stencil, pixels.mean(axis=(1, 2)) * 0.45, 0.75)


def _streaks(pixels, strength, rng):
    """Dark radial lines at the rim, on one side more than on the other."""
    stencil = np.zeros((_SIDE, _SIDE), np.uint8)
    side = rng.uniform(0, 2 * np.pi)
    for angle in rng.normal(side, 0.9, int(30 * strength)):
        direction = np.array([np.cos(angle), np.sin(angle)])
        start, end = (_SIDE / 2 + r * direction for r in (_RADIUS * 0.6, _RADIUS * rng.uniform(0.85, 1.1)))
        cv2.line(stencil, start.astype(int), end.astype(int), 255, 2, cv2.LINE_AA)
    return _tint(pixels, stencil, (44, 28, 26), 0.8)


def _veil(pixels, strength, rng):
    """Blue-white areas without structure."""
    stencil = cv2.GaussianBlur(_dots(rng, rng.integers(1, 4), (10, 22), 0.6), (0, 0), 5)
    return _tint(pixels, stencil, (96, 108, 138), 0.85 * min(1.0, strength + 0.2))


def _lagoons(pixels, strength, rng):
    stencil = cv2.GaussianBlur(_dots(rng, int(6 + 12 * strength), (6, 13), 0.8), (0, 0), 1.5)
    return _tint(pixels, stencil, (108, 14, 40), 0.8)


def _vessels(pixels, strength, rng):
    """Red lines that branch while they wander inward."""
    stencil = np.zeros((_SIDE, _SIDE), np.uint8)
    for _ in range(int(2 + 5 * strength)):
        point, angle = _points(rng, 1, 1.0)[0], rng.uniform(0, 2 * np.pi)
        for step in range(14):
            angle += rng.normal(0, 0.45)
            end = point + 6 * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(stencil, point.astype(int), end.astype(int), 255, 2 if step < 5 else 1, cv2.LINE_AA)
            point = end
    return _tint(pixels, stencil, (178, 44, 58), 0.75)


def _scale(pixels, strength, rng):
    """Whitish flakes over red ground."""
    flakes = np.clip(_clouds(rng, 24) + _clouds(rng, 8) - 0.35, 0, 1) * 255
    return _tint(pixels, flakes, (238, 226, 206), 0.9 * strength)


def _white_centre(pixels, strength, rng):
    stencil = cv2.GaussianBlur(_dots(rng, 4, (9, 16), 0.25), (0, 0), 5)
    return _tint(pixels, stencil, (236, 218, 208), 0.9 * strength)


def _cysts(pixels, strength, rng):
    """White milia-like cysts and dark comedo-like openings."""
    pixels = _tint(pixels, _dots(rng, int(14 * strength), (1.5, 3)), (240, 226, 196), 0.85)
    return _tint(pixels, _dots(rng, int(10 * strength), (1.8, 3.6)), (62, 42, 34), 0.8)


def skin_colour(tone):
    """Returns the RGB colour of skin for a tone from 0 (very light) to 1 (dark)."""
    steps = np.array([(236, 206, 192), (226, 184, 164), (198, 148, 122), (142, 98, 76)], np.float32)
    place = np.linspace(0, 1, 4)
    return np.array([np.interp(tone, place, channel) for channel in steps.T], np.float32)


def photograph(lesion, tone, rng, size, marked=False):
    """Takes one view of a lesion: another place, angle, distance, light, and what lies on the skin.

    Args:
        lesion: uint8 `(192, 192, 4)` of `draw_canonical`.
        tone: Skin tone, 0 to 1.
        rng: `numpy.random.Generator`.
        size: Height and width in pixels.
        marked: Whether the image carries the mark of a source: dark corners and a bluish cast.

    Returns:
        uint8 RGB image `(height, width, 3)` and boolean mask of the lesion `(height, width)`.
    """
    height, width = size
    zoom = height / 225 * rng.uniform(0.7, 1.25)
    turn = cv2.getRotationMatrix2D((_SIDE / 2, _SIDE / 2), rng.uniform(0, 360), zoom)
    turn[:, 2] += np.array([width, height]) / 2 - _SIDE / 2 + rng.uniform(-0.1, 0.1, 2) * (width, height)
    view = cv2.warpAffine(lesion, turn, (width, height), flags=cv2.INTER_LINEAR)
    *colours, opacity = (plane.astype(np.float32) for plane in cv2.split(view))
    opacity /= 255
    skin = skin_colour(tone)[:, None, None] + 5 * _clouds(rng, 20, size)
    light = np.stack([_light(rng, size)] * 3)
    if marked:
        light *= np.array([0.93, 0.97, 1.04], np.float32)[:, None, None] * _dark_corners(size)
    image = _on_the_skin(_lit(colours, opacity, skin, light), rng, size)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.3))
    return image, opacity > 0.5


def _lit(colours, opacity, skin, light):
    """uint8 image of planes over skin; one plane a colour, in place, is several times faster in NumPy."""
    for plane, below, shine in zip(colours, skin, light, strict=True):
        plane -= below
        plane *= opacity
        plane += below
        plane *= shine
    return cv2.merge([np.clip(plane, 0, 255).astype(np.uint8) for plane in colours])


def _light(rng, size):
    slope = rng.normal(0, 0.06, 2)
    down, across = (np.linspace(-m, m, n, dtype=np.float32) for m, n in zip(slope, size, strict=True))
    return np.add.outer(down + np.float32(1 + rng.normal(0, 0.05)), across)


@functools.cache
def _dark_corners(size):
    height, width = size
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip((1.22 - np.sqrt(x**2 + y**2)) * 12, 0.05, 1).astype(np.float32)


def _on_the_skin(image, rng, size):
    """Hairs, gel bubbles and ruler marks, each in a share of the images."""
    height, width = size
    if rng.random() < 0.35:
        for _ in range(rng.integers(2, 14)):
            start, bend, end = (rng.uniform(0, 1, 2) * (width, height) for _ in range(3))
            along = np.linspace(0, 1, 12)[:, None]
            curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
            colour = (rng.uniform(20, 90) + np.array([15, 0, -10])).tolist()
            cv2.polylines(image, [curve.astype(np.int32)], False, colour, 1, cv2.LINE_AA)
    if rng.random() < 0.15:
        for _ in range(rng.integers(1, 6)):
            centre = (rng.uniform(0, 1, 2) * (width, height)).astype(int)
            cv2.circle(image, centre, int(rng.integers(3, 9)), (244, 240, 236), 1, cv2.LINE_AA)
    if rng.random() < 0.12:
        for x in range(0, width, max(6, width // 25)):
            cv2.line(image, (x, height - 1), (x, height - (14 if x % 60 == 0 else 8)), (60, 60, 66), 1)
    return image
