"""Make `demo.mp4` from two public-domain portraits: `python -m capture_service.demo.make_clip`.

Needs matplotlib and scikit-image (the `dev` group), whose wheels carry the portraits; showing the clip needs neither.
Every movement has the clip's length as a period, so that the end joins the beginning.
"""

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS, SECONDS = 640, 480, 15, 8
BACKGROUND = (150, 140, 128)  # BGR
CLIP = Path(__file__).parent / "demo.mp4"

Picture = NDArray[np.uint8]


def portraits() -> tuple[Picture, Picture]:
    """Grace Hopper (US Navy) and Eileen Collins (NASA), head and shoulders, as BGR pictures."""
    import matplotlib as mpl
    from skimage import data

    hopper = cv2.imread(str(Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg")), cv2.IMREAD_COLOR)
    if hopper is None:
        raise FileNotFoundError("matplotlib carries no grace_hopper.jpg any more")
    collins = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    return np.asarray(hopper[20:420, 60:440], np.uint8), np.asarray(collins[0:300, 70:370], np.uint8)


def place(canvas: NDArray[np.float32], portrait: Picture, centre: tuple[float, float], height: float) -> None:
    """Blend a portrait into the canvas, in an ellipse with a soft edge, at sub-pixel precision."""
    rows, columns = portrait.shape[:2]
    scale = height / rows
    move = np.array([[scale, 0, centre[0] - scale * columns / 2], [0, scale, centre[1] - scale * rows / 2]], np.float32)
    mask = np.zeros((rows, columns), np.float32)
    cv2.ellipse(mask, (columns // 2, rows // 2), (int(columns * 0.44), int(rows * 0.46)), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), columns * 0.02).astype(np.float32)
    alpha = cv2.warpAffine(mask, move, (WIDTH, HEIGHT))[..., np.newaxis]
    picture = cv2.warpAffine(portrait, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA).astype(np.float32)
    canvas += alpha * (picture - canvas)


def frame(time: float, hopper: Picture, collins: Picture) -> Picture:
    """The picture at `time`, 0 to 1 of the clip."""
    turn = 2 * math.pi * time
    canvas = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.float32)
    hopper_at = 180 + 45 * math.sin(turn), 245 + 25 * math.sin(2 * turn)
    place(canvas, hopper, hopper_at, 300 + 40 * math.cos(turn))
    # She leaves to the right in the middle of the clip, and comes back before it ends.
    away = max(0.0, -math.cos(turn) - 0.1) / 0.9
    collins_at = 470 + 20 * math.sin(3 * turn) + 380 * away, 235 + 20 * math.cos(2 * turn)
    place(canvas, collins, collins_at, 270 + 20 * math.sin(turn))
    gamma = 1.0 + 0.45 * math.sin(turn + 1.0)
    light = 255 * (np.clip(canvas / 255, 0, 1) ** gamma)
    return np.asarray(light.round(), np.uint8)


def main() -> None:
    """Write the clip beside this script."""
    hopper, collins = portraits()
    writer = cv2.VideoWriter(str(CLIP), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"OpenCV cannot write {CLIP}")
    count = FPS * SECONDS
    for number in range(count):
        writer.write(frame(number / count, hopper, collins))
    writer.release()


if __name__ == "__main__":
    main()
