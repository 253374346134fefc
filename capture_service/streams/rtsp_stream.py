"""Streams over RTSP: their pictures come inside the TCP connection, or over UDP where the camera supports only that."""

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import av
from av.container import InputContainer

from capture_service.settings import CaptureSettings
from capture_service.sources.reasons import ffmpeg_reason
from capture_service.sources.spec import SourceSpec
from capture_service.streams.connected_peers import ConnectedPeers
from capture_service.streams.container_frames import ContainerFrames
from capture_service.streams.containers import open_rtsp as open_container
from capture_service.streams.frames import Grabbed, StreamFailure, StreamTimeout
from contract.network import Address, StreamRules, resolve
from contract.stream_url import StreamUrl

Transport = Literal["tcp", "udp"]
_OTHER: dict[Transport, Transport] = {"tcp": "udp", "udp": "tcp"}


@dataclass
class RtspTransport:
    """The transport that is tried first: TCP, or what worked last."""

    first: Transport = "tcp"


def open_rtsp(
    url: StreamUrl,
    addresses: Sequence[Address] | None,
    spec: SourceSpec,
    settings: CaptureSettings,
    transport: RtspTransport,
) -> ContainerFrames:
    """The frames of an RTSP stream, over TCP or UDP.

    Args:
        url: of the stream.
        addresses: the checked ones of an added stream, which may lead to no other host.
        spec: of the source.
        settings: of the capture service.
        transport: where what works is kept for the next opening.

    Raises:
        StreamFailure: it cannot be opened; the message says why.
    """
    if addresses is None:
        if not resolve(url.host):
            raise StreamFailure("there is no host of this name")
        return _RtspFrames(_opened(url.at(url.host), spec, settings, transport), settings, transport)
    peers = ConnectedPeers(addresses, StreamRules(settings.camera_networks, settings.redis_url).redis_places())
    container = _opened(url.at(str(addresses[0])), spec, settings, transport)
    try:
        peers.check()
    except StreamFailure:
        container.close()
        raise
    return _RtspFrames(container, settings, transport, peers.check_now_and_then)


class _RtspFrames(ContainerFrames):
    """Frames over the transport that is now the first; another one is tried next if it delivers none."""

    def __init__(
        self,
        container: InputContainer,
        settings: CaptureSettings,
        transport: RtspTransport,
        before_grab: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(container, settings, before_grab)
        self._transport, self._used = transport, transport.first
        self._delivers = False

    def grab(self) -> Grabbed:
        try:
            grabbed = super().grab()
        except StreamFailure:
            if not self._delivers:
                self._transport.first = _OTHER[self._used]
            raise
        self._delivers = True
        return grabbed


def _opened(url: str, spec: SourceSpec, settings: CaptureSettings, transport: RtspTransport) -> InputContainer:
    """Opened over the transport that worked last, else over the other one if the camera refuses this one.

    A camera that accepts a transport and then sends nothing is opened over the other one the next time, since both
    together would take longer than an opening may.
    """
    first, other = transport.first, _OTHER[transport.first]
    seconds = settings.stall_seconds(spec.fps)
    try:
        return open_container(url, first, settings, seconds, follows=not spec.added)
    except StreamTimeout:
        transport.first = other
        raise
    except av.FFmpegError as error:
        if not _is_refusal(error):
            raise StreamFailure(ffmpeg_reason(error)) from error
    try:
        container = open_container(url, other, settings, seconds, follows=not spec.added)
    except av.FFmpegError as error:
        raise StreamFailure(ffmpeg_reason(error)) from error
    transport.first = other
    return container


def _is_refusal(error: av.FFmpegError) -> bool:
    """Whether the camera may refuse the transport only; FFmpeg names a status 461 so, other cameras send another."""
    return error.errno == errno.EPROTONOSUPPORT or isinstance(
        error,
        av.error.HTTPOtherClientError
        | av.error.HTTPBadRequestError
        | av.error.HTTPServerError
        | av.error.InvalidDataError,
    )
