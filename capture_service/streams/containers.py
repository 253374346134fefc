"""Opens streams with FFmpeg: which formats and protocols it may use, how long, and for how many pixels.

PyAV hands options to FFmpeg as a table, so no text of an address can become an option.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import av

from capture_service.settings import CaptureSettings
from capture_service.sources.container import decoding_bounds
from capture_service.sources.reasons import ffmpeg_reason
from capture_service.streams.frames import StreamFailure, StreamTimeout
from capture_service.streams.http_body import HttpBody

if TYPE_CHECKING:
    from av.container import InputContainer

STREAM_FORMATS = (
    "asf,av1,avi,flv,gif,h264,hevc,ivf,live_flv,m4v,matroska,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,mpjpeg,nut,obu,"
    "ogg,webm"
)
"""FFmpeg's formats that cameras and servers send, and that name no other file or host."""


def open_body(body: HttpBody, settings: CaptureSettings) -> "InputContainer":
    """The container in the body of a response. No protocol is allowed, so that it leads to nothing else.

    Raises:
        StreamFailure: FFmpeg finds no video in it.
    """
    options = {"protocol_whitelist": "none", "format_whitelist": STREAM_FORMATS}
    return _streamed(body, options, settings, None, lambda: body.failure)


def open_playlist(url: str, settings: CaptureSettings, seconds: float) -> "InputContainer":
    """The video of a playlist (HLS, DASH) of a configured source, whose parts FFmpeg requests itself.

    Raises:
        StreamFailure: FFmpeg finds no video in it.
    """
    options = {
        "protocol_whitelist": "http,https,tcp,tls,crypto",
        "format_whitelist": f"hls,dash,webvtt,aac,{STREAM_FORMATS}",
    }
    return _streamed(url, options, settings, seconds)


def open_rtsp(
    url: str, transport: str, settings: CaptureSettings, seconds: float, *, follows: bool
) -> "InputContainer":
    """The video of an RTSP server, over `transport`: "tcp", or "udp" from its address alone.

    FFmpeg follows a redirect only where `follows` allows the protocol of the new address.

    Raises:
        av.FFmpegError: it cannot be opened.
        StreamTimeout: it was not opened in time.
        StreamFailure: it offers no video.
    """
    protocols = ["tcp", "tls"] + ["rtp", "srtp", "udp"] * (transport == "udp") + ["rtsp", "rtsps"] * follows
    options = {
        "protocol_whitelist": ",".join(protocols),
        "format_whitelist": "rtsp",
        "rtsp_transport": transport,
        "allowed_media_types": "video",
        "fpsprobesize": "0",  # the frame rate is not needed, and counting frames for it takes seconds
    }
    if transport == "udp":
        options["rtsp_flags"] = "filter_src"
    open_seconds = settings.open_timeout.total_seconds()
    began = time.monotonic()
    try:
        container = _open(url, options, settings, seconds)
    except av.FFmpegError as error:
        # FFmpeg takes a response that it stops waiting for, and one that cannot be read, for the same.
        if time.monotonic() - began >= open_seconds:
            raise StreamTimeout from error
        raise
    if not container.streams.video:
        container.close()
        raise StreamFailure("the camera offers no video")
    return container


def _streamed(
    source: HttpBody | str,
    options: dict[str, str],
    settings: CaptureSettings,
    seconds: float | None,
    failure: Callable[[], str | None] = lambda: None,
) -> "InputContainer":
    try:
        container = _open(source, options, settings, seconds)
    except av.FFmpegError as error:
        raise StreamFailure(failure() or ffmpeg_reason(error)) from error
    if not container.streams.video:
        container.close()
        raise StreamFailure(failure() or "the camera sends no video")
    return container


def _open(
    source: HttpBody | str, options: dict[str, str], settings: CaptureSettings, seconds: float | None
) -> "InputContainer":
    timeout = (settings.open_timeout.total_seconds(), seconds)
    options = options | decoding_bounds(settings)
    return av.open(source, "r", options=options, timeout=timeout, metadata_errors="replace")
