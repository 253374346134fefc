"""Makes the small videos that the tests of reading recordings need, with FFmpeg's encoders in PyAV."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags

Array = np.ndarray[Any, Any]
WITHOUT_LOG = {"libx265": {"x265-params": "log-level=none"}}


def moving(frames: int = 60, width: int = 320, height: int = 240) -> list[Array]:
    """RGB pictures that all differ, and of which each moves on from the one before."""
    rng = np.random.default_rng(1)
    base = rng.integers(0, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    pictures = [np.roll(base, 4 * number, 1) for number in range(frames)]
    for number, picture in enumerate(pictures):
        picture[20 + number : 80 + number, 3 * number : 3 * number + 60] = (
            4 * number % 250,
            250 - 4 * number % 250,
            128,
        )
    return pictures


def flat(values: Iterable[int], width: int = 64, height: int = 48) -> list[Array]:
    """Gray pictures of these brightnesses."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    path: Path,
    pictures: list[Array],
    codec: str = "libx264",
    *,
    rate: int = 25,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    interlaced: bool = False,
    aspect: Fraction | None = None,
    matrix: list[int] | None = None,
    times: Iterable[int] | None = None,
    shift: int = 0,
    sound_seconds: float = 0.0,
    cover: Array | None = None,
    form: str | None = None,
    title: str | None = None,
) -> Path:
    """Encode RGB pictures, all of one size.

    Args:
        path: of the file; its suffix says the format unless `form` does.
        pictures: in their order; none for a song.
        codec: FFmpeg's encoder.
        rate: frames a second; `times` and `shift` count in this unit.
        pixels: FFmpeg's pixel format.
        options: of the encoder.
        interlaced: encode both fields of a frame on their own.
        aspect: width of a pixel by its height.
        matrix: the nine numbers of the display matrix.
        times: when each picture is shown, instead of one after the other.
        shift: added to all times of the video, when the file is written.
        sound_seconds: length of a silent sound track.
        cover: a picture that is attached as a cover.
        form: FFmpeg's output format.
        title: of the film, in the file's metadata.
    """
    with av.open(str(path), "w", format=form) as output:
        if title:
            output.metadata["title"] = title
        stream = None
        if pictures:
            stream = output.add_stream(codec, rate=rate, options={**WITHOUT_LOG.get(codec, {}), **(options or {})})
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt, stream.gop_size = pixels, 12
            if interlaced:
                stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if matrix:
                stream.set_display_matrix(matrix)
        sound = output.add_stream("aac", rate=8000, layout="mono") if sound_seconds else None
        attached = output.add_stream("mjpeg", rate=1) if cover is not None else None
        if attached is not None:
            attached.height, attached.width = cover.shape[:2]
            attached.pix_fmt, attached.disposition = "yuvj420p", av.stream.Disposition.attached_pic
            _encode(output, attached, [cover], [0], lambda packet: packet)
        if sound is not None:
            _sound(output, sound, sound_seconds)

        def shifted(packet: Any) -> Any:
            unit = Fraction(1, rate) / packet.time_base
            packet.pts, packet.dts = packet.pts + round(shift * unit), packet.dts + round(shift * unit)
            return packet

        if stream is not None:
            _encode(output, stream, pictures, list(times or range(len(pictures))), shifted)
    return path


def _encode(output: Any, stream: Any, pictures: list[Array], times: list[int], change: Callable[[Any], Any]) -> None:
    for picture, time in zip(pictures, times, strict=True):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = time, Fraction(1, int(stream.codec_context.framerate))
        for packet in stream.encode(frame):
            output.mux(change(packet))
    for packet in stream.encode():
        output.mux(change(packet))


def _sound(output: Any, stream: Any, seconds: float) -> None:
    for number in range(round(seconds * 8000 / 1024)):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 1024 * number
        output.mux(stream.encode(frame))
    output.mux(stream.encode())


def mangled(source: Path, target: Path, change: Callable[[int, bytes], bytes | None]) -> Path:
    """Copy a video with other contents of its packets.

    Args:
        source: the video.
        target: the copy, in the format of its suffix.
        change: from the number of a packet and its bytes to its new bytes; None leaves the packet out.
    """
    with av.open(str(source)) as whole, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(whole.streams.video[0])
        for number, packet in enumerate(whole.demux(whole.streams.video[0])):
            content = change(number, bytes(packet)) if packet.size else None
            if content is None:
                continue
            changed = av.Packet(content)
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.is_keyframe, changed.stream = packet.is_keyframe, stream
            output.mux(changed)
    return target
