"""The settings of the gateway."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from api_gateway.connections.limits import ConnectionLimits
from api_gateway.security.tokens import Token, parse_all
from contract.network import CameraNetworks
from contract.runtime_settings import Blur
from contract.service.settings import SECRET, Duration, Names, ServiceSettings
from postprocessing.parameters import SmoothingParameters


def _tokens(value: Any) -> Any:  # noqa: ANN401 - whatever the environment or a caller gives; the field checks it
    return parse_all(value) if isinstance(value, str) else value


Tokens = Annotated[tuple[Token, ...], NoDecode, BeforeValidator(_tokens)]


class GatewaySettings(ServiceSettings):
    """Where the gateway listens, how it smooths, what it saves, and its limits."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 and :: listen on all addresses.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(5000, description="Port to listen on; 0: a free port.")
    tokens: Annotated[Tokens, Field(repr=False)] = Field(
        (),
        description="Access tokens: ROLE:TOKEN, separated by commas. ROLE is viewer, viewer@SOURCE+SOURCE or "
        "operator. Without tokens, everyone who can reach the gateway has full access.",
        json_schema_extra=SECRET,
    )
    without_tokens: bool = Field(
        default=False,
        description="Allow other addresses than loopback without tokens: for a container whose port is published only "
        "on 127.0.0.1.",
    )
    session: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=90))] = Field(
        timedelta(hours=12), description="How long a browser stays signed in."
    )
    allowed_origins: Names = Field(
        (),
        description="Other sites whose pages may use this gateway (CORS), as https://example.org, separated by commas.",
    )
    max_connections: Annotated[int, Field(ge=8, le=65_536)] = Field(
        512,
        description="Maximum number of connections, of which three quarters may be videos and WebSockets. Further ones "
        "take the places of idle ones, or get 503; the probes are always served.",
    )
    max_connections_per_address: Annotated[int, Field(ge=4, le=65_536)] | None = Field(
        None,
        description="Maximum number of connections from one address; three quarters of it may be videos and "
        "WebSockets, and so may those with tokens of the same role. All clients of a proxy have its address. Default: "
        "half of EMOTII_MAX_CONNECTIONS.",
    )
    request_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=10))] = Field(
        timedelta(seconds=10),
        description="How long the head of a request may take to arrive, and then a body that is not an upload.",
    )
    smoothing: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=10))] = Field(
        timedelta(seconds=0.15), description="Time constant of the smoothing of probabilities; 0: no smoothing."
    )
    label_lead: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2,
        description="Hysteresis: how much probability the current emotion must lose, or another one must lead by, "
        "before the label changes; 0: no hysteresis.",
    )
    label_hold: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=10))] = Field(
        timedelta(seconds=0.15), description="How long the probabilities must support another label before it is shown."
    )
    saved_faces: Path = Field(Path("saved_faces"), description="Folder of the saved faces.")
    saved_faces_kept: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7), description="Retention of saved faces, labelled or not; 0: no limit."
    )
    saved_faces_limit: Annotated[int, Field(ge=0, le=1_000_000_000_000_000)] = Field(
        2_000_000_000,
        description="Maximum disk space of saved faces, in bytes; beyond it, the oldest are deleted. 0: no limit.",
    )
    save: bool = Field(
        default=True, description="Save faces automatically, until a user changes this on the page or over REST."
    )
    saving_allowed: bool = Field(
        default=True,
        description="Whether faces may be saved. false: nobody can switch saving on, and nobody can save a face on "
        "request.",
    )
    min_blur: Blur = Field(
        "off", description="How faces in every video are hidden at least: off, blur or mask. Nobody can lower it."
    )
    settings_copy: Path = Field(
        Path(".emotii/settings.json"),
        description="Copy of what people switched on the page. A gateway restores it if Redis has lost it.",
    )
    save_every: Annotated[Duration, Field(ge=timedelta(seconds=0.1), le=timedelta(days=1))] = Field(
        timedelta(seconds=1), description="Interval of automatic saves per track."
    )
    database_url: str = Field(
        "sqlite:///.emotii/history.db",
        description="URL of the history database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        json_schema_extra=SECRET,
    )
    history: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7), description="Retention of readings and episodes; 0: none are recorded."
    )
    audit_log: Path = Field(
        Path(".emotii/audit.jsonl"),
        description="Audit log: who changed what, without pictures. The file is rotated at 10 MB.",
    )
    upload_limit: Annotated[int, Field(ge=1024, le=200_000_000)] = Field(
        10_000_000, description="Maximum size of a picture for /api/v1/predict, in bytes."
    )
    predict_timeout: Annotated[Duration, Field(ge=timedelta(seconds=0.1), le=timedelta(minutes=2))] = Field(
        timedelta(seconds=10), description="Timeout of /api/v1/predict."
    )
    jobs: Path = Field(Path("jobs"), description="Folder of uploaded recordings and their results.")
    jobs_upload_limit: Annotated[int, Field(ge=1024, le=1_000_000_000_000)] = Field(
        2_000_000_000, description="Maximum size of a recording for /api/v1/jobs, in bytes."
    )
    added_sources: Annotated[int, Field(ge=0, le=1000)] = Field(
        16,
        description="Maximum number of sources that are added on the page or over REST, including browser cameras. "
        "Each one is a process of the capture service.",
    )
    camera_networks: CameraNetworks = ()
    camera_frame_limit: Annotated[int, Field(ge=10_000, le=20_000_000)] = Field(
        1_000_000, description="Maximum size of a frame from a browser camera, in bytes."
    )
    video_quality: Annotated[int, Field(ge=10, le=100)] = Field(
        85, description="JPEG quality of frames that the gateway renders, 10 to 100."
    )

    @property
    def connection_limits(self) -> ConnectionLimits:
        return ConnectionLimits(
            connections=self.max_connections,
            per_address=self.max_connections_per_address or self.max_connections // 2,
        )

    @property
    def smoothing_parameters(self) -> SmoothingParameters:
        return SmoothingParameters(
            constant_ms=self.smoothing.total_seconds() * 1000,
            lead=self.label_lead,
            hold_ms=round(self.label_hold.total_seconds() * 1000),
        )
