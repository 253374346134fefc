"""The factory of a worker."""

from datetime import timedelta
from uuid import uuid4

from contract.redis.broker import Clients
from contract.redis.clock import RedisClock
from inference_service.claims import Claims
from inference_service.classifier import Classifier
from inference_service.crops import Crops
from inference_service.engines import Engine
from inference_service.poison import IsolatingClassifier
from inference_service.quarantine import QuarantineTracker
from inference_service.registry import Registry
from inference_service.results import Results
from inference_service.settings import InferenceSettings
from inference_service.sources import Sources
from inference_service.worker import Worker


def build(settings: InferenceSettings, engine: Engine, clients: Clients) -> Worker:
    """A worker with a unique consumer name; it opens no connection before it runs."""
    consumer = uuid4().hex
    clock = RedisClock()
    claim_after_ms = settings.claim_after // timedelta(milliseconds=1)
    sources = Sources(clients.commands, clock)
    quarantine = QuarantineTracker(clients.commands, consumer)
    crops = Crops(
        clients.blocking,
        consumer,
        sources,
        Claims(clients.blocking, consumer, claim_after_ms),
        quarantine,
        batch=settings.batch,
        linger=settings.linger,
    )
    return Worker(
        commands=clients.commands,
        clock=clock,
        sources=sources,
        crops=crops,
        quarantine=quarantine,
        classifier=Classifier(IsolatingClassifier(engine), engine.card, consumer, clock),
        results=Results(clients.commands, sources, settings.live_keep),
        registry=Registry(clients.commands, clock, consumer, engine),
        idle_ms=claim_after_ms,
    )
