"""The process that decodes uploaded pictures: `python -m capture_service.inbox.picture_process FD`.

`PictureDecoder` starts it, and kills it when a picture makes it hang. Some imports stand in a function, since OpenCV
reads its bounds from the environment while it is loaded.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from capture_service.settings import CaptureSettings
from capture_service.sources.opencv import limit
from contract.errors import BrokerUnavailable, PictureError
from contract.messages import CropEntry, FrameDone, FrameId, InboxPicture
from contract.redis.broker import connect
from contract.service import logs
from contract.service.child_process import open_connection
from contract.service.lifecycle import run
from contract.service.memory import is_out_of_memory, keep_freed, limit_address_space
from contract.service.native_output import discard_native_output

if TYPE_CHECKING:
    from capture_service.inbox.picture_faces import PictureFaces

READY = "ready"
"""The first message, when OpenCV and the detector are loaded."""
Found = tuple[list[CropEntry], FrameDone]


def main() -> None:
    """Receive the source and the settings, then pictures; send the faces of each one, or its error."""
    connection = open_connection()
    source, settings = connection.recv()
    discard_native_output()
    keep_freed()
    limit_address_space(settings.process_memory_mb)
    limit(settings)
    logs.configure(service=f"pictures {source}", level=settings.log_level, as_json=settings.log_json)
    with closing(connect(settings.redis_url, f"pictures-{source}")) as clients:
        from capture_service.inbox.picture_faces import PictureFaces

        faces = PictureFaces(source, clients, settings)
        connection.send(READY)
        while True:
            try:
                picture, name = connection.recv()
            except EOFError:  # the parent has ended
                return
            connection.send(_found(faces, picture, name, settings))


def _found(
    faces: "PictureFaces", picture: InboxPicture, name: FrameId, settings: CaptureSettings
) -> Found | PictureError | BrokerUnavailable:
    try:
        return faces.find(picture, name)
    except (PictureError, BrokerUnavailable) as error:
        return error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return PictureError(f"it needs more memory than {settings.process_memory_mb} MB (EMOTII_PROCESS_MEMORY_MB)")


if __name__ == "__main__":
    run(main)
