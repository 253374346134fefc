"""Removes what should not stay on disk: old faces, and what processes that died left unfinished."""

import asyncio
from datetime import timedelta

import structlog

from api_gateway.faces.retention import FaceRetention
from api_gateway.uploads.jobs import Jobs

logger = structlog.get_logger()
EVERY = timedelta(seconds=30)


class Cleanup:
    """Sweeps the folders of saved faces and of recordings, at once and then twice a minute."""

    def __init__(self, faces: FaceRetention, jobs: Jobs) -> None:
        self._faces = faces
        self._jobs = jobs

    async def sweep(self) -> None:
        """Sweep once, and rest."""
        try:
            if swept := await asyncio.to_thread(self._faces.sweep):
                logger.info("unfinished faces removed", files=swept)
            if removed := await asyncio.to_thread(self._faces.enforce):
                logger.info("old faces removed", files=removed)
            if swept := await self._jobs.sweep():
                logger.info("unfinished recordings removed", files=swept)
        except OSError as error:
            logger.warning("a folder of ours cannot be swept", error=str(error))
        await asyncio.sleep(EVERY.total_seconds())
