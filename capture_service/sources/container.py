"""Opens video files with FFmpeg: which formats and protocols it may use, and how many pixels it may decode."""

import os
import stat
from typing import TYPE_CHECKING

import av

from capture_service.settings import CaptureSettings
from capture_service.sources.reasons import file_reason
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer

FILE_FORMATS = (
    "3dostr,amv,apng,asf,avi,av1,bink,dhav,dirac,dv,film_cpk,flic,flv,gif,gxf,h261,h263,h264,hevc,idcin,ingenient,"
    "ipmovie,ivf,ivr,kux,live_flv,m4v,matroska,mjpeg,mlv,mm,mov,mp4,mpeg,mpegts,mpegvideo,mpjpeg,mtv,mv,mxf,mxg,nsv,nut,"
    "nuv,obu,ogg,pva,r3d,rl2,rm,roq,rpl,smjpeg,smk,swf,thp,vc1,vc1test,vividas,vivo,vmd,vvc,webm,webp,wtv,wv,xmv,"
    "yuv4mpegpipe"
)
"""FFmpeg's formats that hold a video and name no other file or host."""


def open_file(spec: SourceSpec, settings: CaptureSettings) -> "InputContainer":
    """The container of a video file, with at least one video stream.

    FFmpeg gets an open descriptor, not the name. So a name may have any bytes, and no file can name another one.

    Raises:
        SourceError: there is no such regular file, or FFmpeg finds no video in it.
    """
    descriptor = _descriptor(spec)
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "format_whitelist": FILE_FORMATS}
    try:
        container = av.open("fd:", options=options | decoding_bounds(settings), metadata_errors="replace")
    except av.FFmpegError as error:
        raise SourceError(f"cannot open {spec.safe}: {file_reason(error)}") from error
    finally:
        os.close(descriptor)  # FFmpeg has a duplicate
    return _with_video(container, spec)


def _descriptor(spec: SourceSpec) -> int:
    """The descriptor of a regular file; a device or FIFO could be read for ever."""
    try:
        descriptor = os.open(spec.address, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {spec.safe}") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot open {spec.safe}: {getattr(error, 'strerror', None) or 'not a name'}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"not a regular file: {spec.safe}")
    return descriptor


def _with_video(container: "InputContainer", spec: SourceSpec) -> "InputContainer":
    if not container.streams.video:
        container.close()
        raise SourceError(f"cannot open {spec.safe}: it holds no video")
    return container


def decoding_bounds(settings: CaptureSettings) -> dict[str, str]:
    """Options of FFmpeg that bound what it decodes."""
    return {"max_pixels": str(settings.picture_max_megapixels * 1_000_000)}
