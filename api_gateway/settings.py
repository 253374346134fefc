"""The settings of the gateway."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from api_gateway.security.tokens import Token, parse_all
from contract.network import CameraNetworks
from contract.service.settings import SECRET, Duration, ServiceSettings
from postprocessing.parameters import SmoothingParameters


def _parts(value: Any) -> Any:  # noqa: ANN401 - whatever the environment or a caller gives; the field checks it
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]


def _tokens(value: Any) -> Any:  # noqa: ANN401 - as above
    return parse_all(value) if isinstance(value, str) else value


Tokens = Annotated[tuple[Token, ...], NoDecode, BeforeValidator(_tokens)]


class GatewaySettings(ServiceSettings):
    """Where the gateway listens, how it smooths, what it saves, and its limits."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 and :: mean all of them.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(5000, description="Port to listen on; 0 takes a free one.")
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Host names that browsers may use for this gateway, with commas between; EMOTII_HOST is one, too.",
    )
    tokens: Annotated[Tokens, Field(repr=False)] = Field(
        (),
        description="Who may come in: ROLE:TOKEN with commas between, ROLE being viewer, viewer@SOURCE+SOURCE or "
        "operator. Without any everybody who reaches the gateway may do everything.",
        json_schema_extra=SECRET,
    )
    without_tokens: bool = Field(
        default=False,
        description="Listen on other addresses than loopback without tokens: for a container whose port is published "
        "on 127.0.0.1 alone.",
    )
    session: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=90))] = Field(
        timedelta(hours=12), description="How long a browser stays signed in."
    )
    allowed_origins: Names = Field(
        (),
        description="Other sites whose pages may use this gateway (CORS), as https://example.org, with commas between.",
    )
    max_connections: Annotated[int, Field(ge=8, le=65_536)] = Field(
        512, description="Connections at a time; more are answered 503."
    )
    smoothing: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=10))] = Field(
        timedelta(seconds=0.15), description="Time constant of the smoothing of probabilities; 0: none."
    )
    label_lead: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2, description="By how much probability an emotion is harder to lose than to win; 0: no hysteresis."
    )
    label_hold: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=10))] = Field(
        timedelta(seconds=0.15), description="How long probabilities have to speak for another label before it is told."
    )
    saved_faces: Path = Field(Path("saved_faces"), description="Folder of the saved faces.")
    saved_faces_kept: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7), description="How long a saved face is kept, labelled or not; 0 keeps them."
    )
    saved_faces_limit: Annotated[int, Field(ge=0, le=1_000_000_000_000_000)] = Field(
        2_000_000_000, description="The most that saved faces take up, in bytes; over it the oldest go. 0: no limit."
    )
    save: bool = Field(
        default=True, description="Save faces automatically, until somebody switches it on the page or over REST."
    )
    save_every: Annotated[Duration, Field(ge=timedelta(seconds=0.1), le=timedelta(days=1))] = Field(
        timedelta(seconds=1), description="Time between two automatic saves of one track."
    )
    database_url: str = Field(
        "sqlite:///.emotii/history.db",
        description="Database of the history: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        json_schema_extra=SECRET,
    )
    history: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7), description="How long readings and episodes are kept; 0: none are recorded."
    )
    audit_log: Path = Field(
        Path(".emotii/audit.jsonl"), description="File of who changed what, without pictures; put aside at 10 MB."
    )
    upload_limit: Annotated[int, Field(ge=1024, le=200_000_000)] = Field(
        10_000_000, description="Largest picture that /api/v1/predict takes, in bytes."
    )
    predict_timeout: Annotated[Duration, Field(ge=timedelta(seconds=0.1), le=timedelta(minutes=2))] = Field(
        timedelta(seconds=10), description="The longest that /api/v1/predict waits for its result."
    )
    jobs: Path = Field(
        Path("jobs"), description="Folder of the recordings that are handed in, and of what came of them."
    )
    jobs_upload_limit: Annotated[int, Field(ge=1024, le=1_000_000_000_000)] = Field(
        2_000_000_000, description="Largest recording that /api/v1/jobs takes, in bytes."
    )
    added_sources: Annotated[int, Field(ge=0, le=1000)] = Field(
        16,
        description="The most sources that may be added on the page or over REST, browsers' cameras among them; each "
        "is a process of the capture service.",
    )
    camera_networks: CameraNetworks = ()
    camera_frame_limit: Annotated[int, Field(ge=10_000, le=20_000_000)] = Field(
        1_000_000, description="Largest picture that a browser's camera may send, in bytes."
    )
    video_quality: Annotated[int, Field(ge=10, le=100)] = Field(85, description="Quality of pictures made here.")

    @property
    def smoothing_parameters(self) -> SmoothingParameters:
        return SmoothingParameters(
            constant_ms=self.smoothing.total_seconds() * 1000,
            lead=self.label_lead,
            hold_ms=round(self.label_hold.total_seconds() * 1000),
        )
