"""What people and programs see: the page, video, emotions, events, uploads and saved faces, over HTTP and WebSocket."""
