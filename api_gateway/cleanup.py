"""Removes from the disk old faces and unfinished files of processes that died."""

import asyncio

import structlog

from api_gateway.faces.retention import FaceRetention
from api_gateway.uploads.jobs import Jobs
from contract.errors import reason_of

logger = structlog.get_logger()


class Cleanup:
    """Sweeps the folders of saved faces and of uploaded recordings."""

    def __init__(self, faces: FaceRetention, jobs: Jobs) -> None:
        self._faces = faces
        self._jobs = jobs

    async def sweep(self) -> None:
        """Sweep both folders."""
        try:
            if swept := await asyncio.to_thread(self._faces.sweep):
                logger.info("unfinished faces removed", files=swept)
            if removed := await asyncio.to_thread(self._faces.enforce):
                logger.info("old faces removed", files=removed)
            if swept := await self._jobs.sweep():
                logger.info("unfinished recordings removed", files=swept)
        except OSError as error:
            logger.warning("a folder cannot be swept", path=error.filename, error=reason_of(error))
