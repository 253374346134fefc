"""Grabs and decodes the frames of an open container.

FFmpeg conceals what is missing in a frame with other frames, and decodes a truncated JPEG into the memory of an
earlier frame, so that another person's face may show. Here, such a frame is damaged and gives no picture:

- The decoder reports every error (`err_detect=explode`) instead of concealing it.
- A damaged or missing frame spoils those that refer to it. So all frames up to the next key frame are damaged, too.
- Motion JPEG is decoded as still pictures are, which refuses incomplete ones.

Frames of formats without references (motion JPEG, DV, ProRes) stay undecoded until their picture is requested.
"""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData, SideDataContainer, Type
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from capture_service.frame import Picture
from capture_service.sources.decoding_order import DecodingOrder
from capture_service.sources.h264_references import H264References
from capture_service.sources.orientation import first_field, square_pixels, upright
from capture_service.sources.whole_frames import is_whole
from contract.errors import PictureError
from rendering import images

if TYPE_CHECKING:
    VideoPacket = av.Packet[VideoStream]

_MOTION_JPEG = "mjpeg"
_LEAST_BYTES = 16
"""A smaller packet says that the frame before is shown on. A larger one that gives no frame is damaged."""
_WITHOUT_PRESENTATION_TIMES = {"avi"}
"""Formats for which FFmpeg makes presentation times up, wrong ones where frames are stored in another order."""
_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def best_video(container: InputContainer) -> VideoStream | None:
    """The video stream that a player shows, never a cover; None if there is none that can be decoded."""
    videos = [stream for stream in container.streams.video if stream.codec_context and not stream.disposition & _COVERS]
    best = container.streams.best("video")
    by_default = (stream for stream in videos if best is not None and stream.index == best.index)
    return next(by_default, max(videos, key=lambda stream: stream.width * stream.height, default=None))


@dataclass(frozen=True, slots=True, eq=False)
class GrabbedFrame:
    """A frame of which the least was done that leads to the next one."""

    seconds: float | None
    """Presentation time on the container's clock; None if the file states none."""
    _content: "VideoFrame | VideoPacket | None"
    """A decoded frame, an undecoded one of a format without references, or None for a damaged one."""
    _reader: "FrameReader"

    def picture(self) -> Picture | None:
        """(height, width, 3) BGR: deinterlaced, with square pixels, upright; None if the frame is damaged.

        All pictures of a reader have the size of the first. Call it before the next frame is grabbed.
        """
        return self._reader.picture(self._content)


class FrameReader:
    """Grabs the frames of the video stream of an open container, in presentation order.

    Args:
        container: that nobody else reads.
        stream: of the container.
        max_pixels: a frame with more pixels is damaged.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, max_pixels: int) -> None:
        self._container, self._stream, self._max_pixels = container, stream, max_pixels
        self._decoder = stream.codec_context
        self._decoder.options = {"max_pixels": str(max_pixels), "err_detect": "explode"}
        self._decoder.thread_count = 1
        self._independent = self._decoder.codec.intra_only
        self._packets: Iterator[VideoPacket] = iter(())
        self._demuxing = self._flushed = False
        self._ready: deque[GrabbedFrame] = deque()
        self._undated = container.format.name in _WITHOUT_PRESENTATION_TIMES
        self._order = DecodingOrder() if self._undated and not self._independent else None
        """If there is one, frames are known by their decoding times instead of presentation times."""
        self._awaited: list[int] | None = [] if container.format.name.startswith("mov") else None
        """Heap of the times of packets whose frames have not come yet, where every packet has one."""
        self._references = H264References(self._decoder.extradata) if self._decoder.name == "h264" else None
        self._lost: list[int] = []
        """Heap of the times of the frames that could not be decoded, and whose turn has not come yet."""
        self._spoilt = False
        """Whether frames refer to a damaged one, until the next key frame."""
        self._matrix: bytes | None = None
        self._matrix_known = False
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        """Width and height of the first picture."""

    @property
    def origin(self) -> float:
        """Where the file begins on the container's clock, in seconds: 0 where the clock begins with the file.

        A video that begins after its sound has its first frame later. Transport streams begin anywhere.
        """
        began = (self._container.start_time or 0) / av.time_base
        base, own = self._stream.time_base, self._stream.start_time
        return began if began > 0 else min(0.0, float(own * base) if own is not None and base else 0.0)

    @property
    def indexed_frames(self) -> int | None:
        """Frames by the index of the file, without those that its edit list leaves out; None if it has no index."""
        if self._container.format.name.startswith("mov"):
            return sum(not entry.is_discard for entry in self._stream.index_entries) or None
        return self._stream.frames or None

    def grab(self) -> GrabbedFrame | None:
        """The next frame, None at the end.

        Raises:
            av.FFmpegError: the source broke; the next call tries to go on behind the place.
        """
        while not self._ready:
            if self._flushed:
                return None
            self._take(self._next_packet())
        return self._ready.popleft()

    def picture(self, content: "VideoFrame | VideoPacket | None") -> Picture | None:
        """The picture of a frame that was grabbed; see `GrabbedFrame.picture`."""
        if isinstance(content, av.Packet):
            if self._decoder.name == _MOTION_JPEG:
                return self._jpeg_picture(content)
            content = self._decoded_alone(content)
        if content is None:
            return None
        size = square_pixels(content.width, content.height, self._stream.sample_aspect_ratio, self._max_pixels)
        try:
            image = first_field(content) if content.interlaced_frame else content
            scaling = None if size == (image.width, image.height) else "BICUBIC"
            scaled = self._reformatter.reformat(image, *size, format="bgr24", interpolation=scaling, threads=1)
        except av.FFmpegError:  # no conversion of this format of pixels
            return None
        return self._shown(np.asarray(scaled.to_ndarray(), np.uint8), _matrix(content))

    def _next_packet(self) -> "VideoPacket | None":
        if not self._demuxing:
            self._packets = iter(self._container.demux(self._stream))
        self._demuxing = False  # a generator that raises is over
        packet = next(self._packets, None)
        self._demuxing = True
        return packet

    def _take(self, packet: "VideoPacket | None") -> None:
        if packet is None or (packet.size == 0 and packet.pts is None and packet.dts is None):
            self._flush()
        elif self._independent:
            dated = packet.pts is not None and not self._undated
            self._add(packet.pts if dated else packet.dts, packet if self._is_whole(packet) else None)
        elif packet.size:
            self._decode(packet)

    def _decode(self, packet: "VideoPacket") -> None:
        gives_a_frame = packet.size >= _LEAST_BYTES and not packet.is_discard
        if self._order is not None and packet.dts is not None:
            self._order.expect(packet.dts, must_show=gives_a_frame)
            packet.pts = packet.dts  # the decoder hands it on with the frame
        damaged = not self._is_whole(packet)
        if damaged:
            self._lose(packet.pts)
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            if not damaged:
                self._lose(packet.pts)
            return
        if self._awaited is not None and packet.pts is not None and gives_a_frame:
            heapq.heappush(self._awaited, packet.pts)
        for frame in frames:
            self._judge(frame)

    def _flush(self) -> None:
        if not self._independent and self._decoder.is_open:
            try:
                for frame in self._decoder.decode(None):
                    self._judge(frame)
            except av.FFmpegError:
                self._spoilt = True
        missing = self._order.missing() if self._order is not None else set(self._awaited or ())
        for time in sorted(missing.union(self._lost)):
            self._add(time, None)
        self._flushed = True

    def _lose(self, time: int | None) -> None:
        """Note a frame that cannot be decoded; it is added when its turn comes."""
        if time is not None:
            heapq.heappush(self._lost, time)
            return
        self._spoilt = True
        self._add(None, None)

    def _judge(self, frame: VideoFrame) -> None:
        """Add a decoded frame, behind the lost ones of earlier times."""
        time = frame.dts if frame.pts is None else frame.pts
        if self._order is not None and not self._order.is_new(time):
            return  # it was lost, and this is what the decoder made of it
        lost = self._passed_by(time, interlaced=frame.interlaced_frame)
        if self._order is not None and frame.key_frame and time is not None:
            self._order.has_fields |= frame.interlaced_frame
            lost |= self._order.missing(before=time)
        for earlier in sorted(lost - {time}):
            self._add(earlier, None)
        damaged = frame.is_corrupt or time in lost
        if damaged or lost:
            self._spoilt = True
        if frame.key_frame and not damaged and not self._lost:
            self._spoilt = False
        self._add(time, None if damaged or self._spoilt or self._lost else frame)

    def _passed_by(self, time: int | None, *, interlaced: bool) -> set[int]:
        """The times of the frames up to `time` that will not come any more.

        Each field of an interlaced frame may have a packet, and the second gives no frame.
        """
        passed: set[int] = set()
        while time is not None and self._lost and self._lost[0] <= time:
            passed.add(heapq.heappop(self._lost))
        while time is not None and self._awaited and self._awaited[0] <= time:
            awaited = heapq.heappop(self._awaited)
            if awaited != time and not interlaced:
                passed.add(awaited)
        return passed

    def _is_whole(self, packet: "VideoPacket") -> bool:
        follows = self._references is None or self._references.is_complete(bytes(packet))
        return follows and not packet.is_corrupt and is_whole(self._decoder.name, packet, self._container)

    def _add(self, time: int | None, content: "VideoFrame | VideoPacket | None") -> None:
        base = self._stream.time_base
        shown = time if self._order is None else self._order.show(time)
        seconds = None if shown is None or base is None else float(shown * base)
        self._ready.append(GrabbedFrame(seconds, content, self))

    def _decoded_alone(self, packet: "VideoPacket") -> VideoFrame | None:
        try:
            frame = next(iter(self._decoder.decode(packet)), None)
        except av.FFmpegError:
            return None
        return None if frame is None or frame.is_corrupt else frame

    def _jpeg_picture(self, packet: "VideoPacket") -> Picture | None:
        try:
            picture = images.decode(bytes(packet), self._max_pixels, upright=False)
        except PictureError:
            return None
        if not self._matrix_known:
            # FFmpeg hands the matrix on with a decoded frame only.
            frame = self._decoded_alone(packet)
            self._matrix, self._matrix_known = _matrix(frame) if frame else None, frame is not None
        # One of the two fields of an interlaced frame is half as high as the stream.
        stored = self._decoder.width or picture.shape[1], self._decoder.height or picture.shape[0]
        return self._shown(
            _resized(picture, square_pixels(*stored, self._stream.sample_aspect_ratio, self._max_pixels)), self._matrix
        )

    def _shown(self, picture: Picture, matrix: bytes | None) -> Picture:
        turned = upright(picture, matrix)
        if self._size is None:
            self._size = turned.shape[1], turned.shape[0]
        return _resized(turned, self._size)


def _matrix(frame: VideoFrame) -> bytes | None:
    found: SideData | None = cast("SideDataContainer", frame.side_data).get(Type.DISPLAYMATRIX)
    return None if found is None else bytes(found)


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
