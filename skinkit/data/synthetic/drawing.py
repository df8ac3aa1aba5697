"""Dermoscopy-like photographs, drawn with NumPy and OpenCV: skin, lesion, and what the camera adds.

Colours come from absorption: what melanin, blood and keratin leave of white light. So a dark skin,
a red light or a second pigment mix as they do in a photograph.
"""

import numpy as np

from skinkit.data.synthetic.textures import View, grain
from skinkit.data.synthetic.traits import LABELS, sample_patient, sample_traits
from skinkit.names import check_name

# Absorption of R, G and B (rows) by melanin, blood, melanin deep in the skin, and keratin.
_ABSORPTION = np.array(
    [[0.55, 0.10, 1.15, 0.06], [0.95, 0.72, 1.00, 0.26], [1.25, 0.55, 0.72, 0.80]], np.float32
)
_SKIN = np.array([0.97, 0.93, 0.94])
_WHITE = np.array([0.96, 0.90, 0.88], np.float32)[:, None, None]
_SMALLEST = 150  # images lower than this are drawn larger and reduced, else the textures alias


def draw_lesion(label, seed=0, size=(225, 300)):
    """Draws one photograph of a lesion, with its mask.

    Args:
        label: String, a diagnosis of `akiec bcc bkl df mel nv vasc`.
        seed: Integer, or `np.random.Generator`; equal integers give equal images.
        size: Integers, height and width in pixels.

    Returns:
        Image, uint8 RGB `(height, width, 3)`, and mask, uint8 `(height, width)`: 255 in the lesion,
        else 0.

    Raises:
        ValueError: unknown label.

    Example:
        >>> image, mask = draw_lesion("mel", seed=3)
    """
    check_name("Labels", label, LABELS)
    rng = np.random.default_rng(seed)
    patient = sample_patient(rng)
    return photograph(rng, sample_traits(rng, label, patient), patient, size, rng.random() < 0.35)


def photograph(rng, lesion, patient, size, marked):
    """Takes one photograph of a lesion: each call stands and lights a little differently.

    Args:
        rng: `np.random.Generator`.
        lesion: `Lesion`.
        patient: `Patient` who has it.
        size: Integers, height and width in pixels.
        marked: Boolean, whether the image carries the mark of a source: dark corners, warm light.

    Returns:
        Image and mask as `draw_lesion`.
    """
    import cv2

    factor = -(-_SMALLEST // size[0])
    view = _stand(rng, lesion, (size[0] * factor, size[1] * factor))
    absorbed, white, mask = _paint(lesion, patient, view)
    light = _SKIN * patient.cast * ((1.02, 1.0, 0.93) if marked else (1.0, 1.0, 1.03))
    image = _expose(rng, absorbed, white, light, view.size)
    _add_things(rng, image, patient, view.size)
    image = _blur(rng, image)
    if marked:
        image = _darken_corners(rng, image)
    if factor > 1:
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA)
    return image, np.where(mask > 127, np.uint8(255), np.uint8(0))


def _stand(rng, lesion, size):
    height, width = size
    angle = 2 * np.pi * lesion.placements[0, 2] + rng.normal(0, 0.35)
    # Nobody photographs a lesion so near that it does not fit.
    zoom = min(max(float(np.exp(rng.normal(0.05, 0.25))), 0.65), 0.44 / lesion.traits["size"])
    middle = np.array([width, height]) / 2 + rng.normal(0, 0.05 * height, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turn /= height * zoom
    return View(lesion.placements, np.column_stack([turn, -turn @ middle]), size)


def _paint(lesion, patient, view):
    """Absorption `(3, h, w)`, share of white `(h, w)` and mask of the lesion on its skin."""
    traits = lesion.traits
    level, body = _outline(traits, view)
    pigments = np.empty((4, *view.size), np.float32)
    for name, plane in zip(("melanin", "blood", "deep", "keratin"), pigments, strict=True):
        np.multiply(body, traits[name], out=plane)
    melanin, blood = pigments[:2]
    melanin *= np.maximum(1 + traits["variegation"] * view.cloud(3, 0.30), 0.15)
    melanin *= np.maximum(1 + traits["centre"] * (1 - 1.6 * np.minimum(level, 1.2)), 0.15)
    blood *= np.maximum(1 + 0.4 * view.cloud(4, 0.35), 0.2)
    white = np.zeros(view.size, np.float32)
    _add_pigment(traits, view, pigments, body)
    _add_white(traits, view, pigments, white, level, body)
    if lesion.vessels:
        blood += traits["vessels"] * _draw_vessels(lesion.vessels, view)
    _add_skin(patient, view, pigments)
    absorbed = (_ABSORPTION @ pigments.reshape(4, -1)).reshape(3, *view.size)
    return absorbed, np.clip(white, 0, 0.85, out=white), np.uint8(level < 1) * 255


def _outline(traits, view):
    """Distance from the middle with the border at 1, and how much lesion a pixel holds."""
    import cv2

    height, width = view.size
    longer = np.sqrt(traits["stretch"])
    scale = np.array([[1 / longer], [longer]]) / traits["size"]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    u, v = (np.float32(a) * x + np.float32(b) * y + np.float32(c) for a, b, c in scale * view.matrix)
    level = cv2.magnitude(u, v)
    level += traits["asymmetry"] * view.cloud(1, 2.0 * traits["size"])
    level += traits["irregularity"] * view.cloud(2, 0.6 * traits["size"], fine=2)
    ramp = np.clip((1 - level) / max(traits["softness"], 0.05) + 0.5, 0, 1)
    return level, ramp * ramp * (3 - 2 * ramp)


def _add_pigment(traits, view, pigments, body):
    melanin, _, deep, _ = pigments
    if amount := traits["network"]:
        net = (1.5 * view.tile("net", 2, 0.030) - 0.5) * view.patches(3, 0.25)
        melanin *= 1 + amount * net
    if amount := traits["ridges"]:
        melanin *= 1 + amount * (0.5 - view.tile("net", 2, 0.075))
    if amount := traits["globules"]:
        melanin += amount * view.tile("blobs", 5, 0.05) * body
    if amount := traits["comedones"]:
        melanin += (1.8 * amount) * view.tile("spots", 6, 0.055) * body
    if amount := traits["nests"]:
        deep += (1.1 * amount) * np.clip(view.cloud(9, 0.30) - 0.5, 0, 1) * body


def _add_white(traits, view, pigments, white, level, body):
    """Structures that are white, with the red or blue that belongs to them."""
    _, blood, deep, _ = pigments
    if amount := traits["milia"]:
        white += (0.7 * amount) * view.tile("spots", 7, 0.05) * body
    if amount := traits["scale"]:
        white += (0.5 * amount) * np.maximum(view.cloud(8, 0.14, fine=2) - 0.6, 0) * body
    if amount := traits["follicles"]:
        blood *= 1 + amount * (1.4 * view.tile("net", 5, 0.055) - 0.5)
        white += (0.2 * amount) * view.tile("blobs", 5, 0.055) * body
    if amount := traits["veil"]:
        patch = np.clip(0.7 * view.cloud(10, 0.60) + 0.3, 0, 1) * body
        deep += (0.6 * amount) * patch
        white += (0.25 * amount) * patch
    if amount := traits["lagoons"]:
        walls = view.tile("net", 11, 0.10)
        blood *= 1 + amount * (0.4 - 1.1 * walls)
        deep *= np.maximum(1 + amount * (2.2 * view.tile("shades", 11, 0.10) - 1.1 - walls), 0)
        white += (0.3 * amount) * walls * body
    if amount := traits["white_centre"]:
        white += (0.75 * amount) * np.exp(-((level / 0.45) ** 2))


def _add_skin(patient, view, pigments):
    melanin, blood = pigments[:2]
    lines = view.tile("net", 9, 0.022)
    melanin += patient.tone * (1.1 + 0.12 * view.cloud(5, 0.5) - 0.25 * lines)
    blood += patient.redness * (1.1 + 0.25 * view.cloud(6, 0.25) - 0.15 * lines)
    if patient.freckles > 0.25:
        freckles = view.tile("spots", 8, 0.09) * view.patches(7, 0.4)
        melanin += (0.4 * patient.freckles) * freckles


def _draw_vessels(lines, view):
    import cv2

    drawn = np.zeros(view.size, np.uint8)
    width = max(1, round(0.004 * view.size[0]))
    # From image heights to pixels.
    back = np.linalg.inv(view.matrix[:, :2])
    points = [_fixed((line - view.matrix[:, 2]) @ back.T) for line in lines]
    cv2.polylines(drawn, points, False, 255, width, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(drawn, (3, 3), 0).astype(np.float32) / 255


def _expose(rng, absorbed, white, light, size):
    """Exposes absorption, white and light, with slope and grain: uint8 `(h, w, 3)`."""
    import cv2

    height, width = size
    image = cv2.exp(-absorbed.reshape(3 * height, width)).reshape(absorbed.shape)
    if white.any():
        image += white * (_WHITE - image)
    gain = rng.uniform(0.85, 1.05) * (1 + rng.normal(0, 0.05, (2, 2)))
    gain = cv2.resize(gain.astype(np.float32), (width, height))
    balance = light * np.exp(rng.normal(0, 0.03, 3))
    noise = np.float32(rng.uniform(0.008, 0.02)) * grain(rng, size)
    for plane, factor in zip(image, balance.astype(np.float32), strict=True):
        plane *= factor * gain
        plane += noise
    return cv2.convertScaleAbs(cv2.max(cv2.merge(list(image)), 0), alpha=255)


def _add_things(rng, image, patient, size):
    """Hairs, gel bubbles and ruler marks, drawn into the image."""
    import cv2

    height, width = size
    fine = max(1, round(height / 300))
    for _ in range(rng.poisson(patient.hair)):
        colour = (np.array([70, 48, 36]) * rng.uniform(0.3, 1.7)).tolist()
        cv2.polylines(image, [_hair(rng, size)], False, colour, fine, cv2.LINE_AA, 4)
    for _ in range(rng.poisson(6) if rng.random() < 0.12 else 0):
        place = _fixed(rng.uniform(0, 1, 2) * (width, height)).tolist()
        radius = round(rng.uniform(0.01, 0.04) * height * 16)
        cv2.circle(image, place, radius, (245, 235, 230), fine, cv2.LINE_AA, 4)
    if rng.random() < 0.12:
        x, y = rng.uniform(0.05, 0.6) * width, rng.uniform(0.86, 0.97) * height
        step = 0.05 * height * rng.uniform(0.8, 1.2)
        ticks = [[(x + i * step, y), (x + i * step, y - 0.03 * height)] for i in range(8)]
        cv2.polylines(image, list(_fixed(ticks)), False, (25, 20, 20), fine, cv2.LINE_AA, 4)


def _hair(rng, size):
    start = rng.uniform(0, 1, 2) * size[::-1]
    angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.12, 12))
    steps = rng.uniform(0.02, 0.08) * size[0] * np.column_stack([np.cos(angles), np.sin(angles)])
    return _fixed(start + np.cumsum(steps, axis=0))


def _fixed(points):
    """OpenCV draws between pixels when it is given integers with fractional bits, here 4."""
    return np.round(np.multiply(points, 16)).astype(np.int32)


def _blur(rng, image):
    import cv2

    blur = abs(rng.normal(0, 0.003)) * image.shape[0]
    return cv2.GaussianBlur(image, (0, 0), blur) if blur > 0.4 else image


def _darken_corners(rng, image):
    import cv2

    height, width = image.shape[:2]
    small = np.zeros((height // 2, width // 2), np.uint8)
    middle = np.array(small.shape[::-1]) / 2 + rng.normal(0, 0.01 * height, 2)
    radius = round(rng.uniform(0.33, 0.40) * height * 16)
    cv2.circle(small, _fixed(middle).tolist(), radius, 255, -1, cv2.LINE_AA, 4)
    side = 2 * (height // 40) + 1
    lit = cv2.resize(cv2.blur(small, (side, side)), (width, height))
    return cv2.multiply(image, cv2.merge([lit] * 3), scale=1 / 255)
