"""Whether an ONNX file is complete in itself."""

import re

EXTERNAL = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
"""The key of a reference to another file, as every encoding of it reads: field 1, a string of 8 bytes, `location`.

In ONNX a tensor may name a file that holds its values (`TensorProto.external_data`), by the key `location`. Protobuf
stores the bytes of a string as they are, so a file without these bytes refers to no other. The second forms are the
same numbers written longer than necessary, which parsers accept.
"""


def refers_to_files(content: bytes) -> bool:
    """Whether the ONNX file takes values from other files, which its own SHA-256 does not cover."""
    return EXTERNAL.search(content) is not None
