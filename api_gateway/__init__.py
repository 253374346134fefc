"""What people and programs see: the page, video, emotions, events, uploads and saved faces, over HTTP and WebSocket."""

import contract as contract  # before structlog, of which it leaves out what is not needed
